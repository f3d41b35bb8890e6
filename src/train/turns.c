#include "train/turns.h"

void turns_init(struct turns *turns)
{
    *turns = (struct turns){0};
    pthread_mutex_init(&turns->lock, NULL);
    pthread_cond_init(&turns->told, NULL);
}

void turns_fini(struct turns *turns)
{
    pthread_cond_destroy(&turns->told);
    pthread_mutex_destroy(&turns->lock);
}

void turns_tell(struct turns *turns, struct batches_state ours)
{
    pthread_mutex_lock(&turns->lock);
    if (!turns->any || ours.epoch >= turns->ours.epoch) turns->ours = ours;
    turns->any = true;
    pthread_cond_signal(&turns->told);
    pthread_mutex_unlock(&turns->lock);
}

void turns_end(struct turns *turns)
{
    pthread_mutex_lock(&turns->lock);
    turns->over = true;
    pthread_cond_signal(&turns->told);
    pthread_mutex_unlock(&turns->lock);
}

bool turns_are_over(struct turns *turns)
{
    pthread_mutex_lock(&turns->lock);
    bool over = turns->over;
    pthread_mutex_unlock(&turns->lock);
    return over;
}

static bool is_known(const struct turns *turns, struct batches_state batch)
{
    const struct batches_state *ours = &turns->ours;
    if (!turns->any || batch.epoch > ours->epoch) return false;
    return batch.epoch < ours->epoch || batch.batch <= ours->batch;
}

bool turns_want(void *context, struct batches_state batch, uint32_t samples, uint32_t sample)
{
    struct turns *turns = context;
    (void)samples, (void)sample;
    pthread_mutex_lock(&turns->lock);
    while (!turns->over && !is_known(turns, batch)) pthread_cond_wait(&turns->told, &turns->lock);
    bool ours = !turns->over && batch.epoch == turns->ours.epoch && batch.batch == turns->ours.batch;
    pthread_mutex_unlock(&turns->lock);
    return ours;
}
