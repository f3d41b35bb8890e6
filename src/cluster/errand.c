#include "cluster/errand.h"

static void *go(void *context)
{
    struct errand *errand = context;
    errand->run(errand->context);
    atomic_store(&errand->done, true);
    return NULL;
}

void errand_start(struct errand *errand, void (*run)(void *context), void *context)
{
    errand->run = run;
    errand->context = context;
    atomic_store(&errand->done, false);
    errand->out = pthread_create(&errand->thread, NULL, go, errand) == 0;
    if (errand->out) return;
    run(context);
    errand->out = true;
    errand->thread = pthread_self();
    atomic_store(&errand->done, true);
}

void errand_wait(struct errand *errand)
{
    if (errand->out && !pthread_equal(errand->thread, pthread_self())) pthread_join(errand->thread, NULL);
    errand->out = false;
}

bool errand_back(struct errand *errand)
{
    if (!errand->out || !atomic_load(&errand->done)) return false;
    errand_wait(errand);
    return true;
}
