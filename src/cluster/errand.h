/* A call that may take long, on a thread of its own, while its owner goes on. */
#ifndef CLUSTER_ERRAND_H
#define CLUSTER_ERRAND_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>

/* All zero: nobody is out. */
struct errand {
    bool out;
    atomic_bool done;
    pthread_t thread;
    void (*run)(void *context);
    void *context;
};

/* Nobody may be out yet. When no thread can be started, the caller's does it. */
void errand_start(struct errand *errand, void (*run)(void *context), void *context);

/* True once, when it is done; what it wrote can then be read. */
bool errand_back(struct errand *errand);

void errand_wait(struct errand *errand); /* nobody out: fine */

#endif
