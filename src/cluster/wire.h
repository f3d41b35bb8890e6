/*
 * Messages between the ranks of one MPI job: bytes with a tag, sent and received without ever waiting, so
 * that one slow link holds up nobody else. All of MPI's point-to-point calls are here. One thread (the one
 * that opened it) uses it.
 */
#ifndef CLUSTER_WIRE_H
#define CLUSTER_WIRE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <bramble/error.h>

/* Rank 0 coordinates, the others work. What follows a tag's name are the bytes of its message; most name the
 * job they belong to, since the answer to one job may meet the next. */
enum wire_tag {
    WIRE_HELLO = 1, /* to 0: struct wire_hello */
    WIRE_BEAT,      /* to 0: nothing; it lives */
    WIRE_JOB,       /* from 0: JSON; what to work on next */
    WIRE_NEED_DATA, /* to 0: u32 job; its data are not here */
    WIRE_SEND_DATA, /* from 0: struct wire_pair, the rank to send the data to */
    WIRE_NOT_SENT,  /* to 0: the same; that cannot be done, and nothing was sent */
    WIRE_DATA,      /* struct wire_chunk, then a zstd frame */
    WIRE_HAVE_DATA, /* to 0: u32 job; its data are here, whole and checked */
    WIRE_READY,     /* to 0: u32 job; the program is open */
    WIRE_TASK,      /* from 0: struct wire_pair, the task */
    WIRE_CANCEL,    /* from 0: the same */
    WIRE_RESULT,    /* to 0: struct wire_result, then the bytes */
    WIRE_TOGETHER,  /* from 0: u32 job, then u32 tasks: do them together, beginning now */
    WIRE_CHAIN,     /* from 0: struct wire_chain, the first result, the last one: go on from there together */
    WIRE_EXCHANGE,  /* to another worker: struct wire_pair, the number of the exchange (swap.c); the bytes */
    WIRE_CREDIT,    /* to 0: struct wire_credit: what it has done of the work that is done together */
    WIRE_FAILED,    /* to 0: struct wire_pair, a bramble_status; then a message: this node cannot do it */
    WIRE_NOTE,      /* to 0: text for the event log */
    WIRE_JOB_DONE,  /* from 0: drop the job */
    WIRE_STOP,      /* from 0: drop everything and leave */
};

struct wire_hello {
    char version[32]; /* of bramble */
    uint32_t threads, pid;
    uint64_t memory; /* bytes a job may take there at most */
};

struct wire_pair {
    uint32_t job, number;
};

struct wire_chain {
    uint32_t job, unused;
    uint64_t first_length, last_length;
};

struct wire_credit {
    uint32_t job, done;
    double rate;
};

struct wire_result {
    uint32_t task, job;
    double seconds; /* that the task took its thread */
};

struct wire_chunk {
    uint64_t offset;
    uint32_t raw_length, job;
};

struct wire;

/* MPI_Init and the like; `rank` and `size` are this job's. */
bramble_status wire_open(struct wire **out, uint32_t *rank, uint32_t *size, bramble_error *error);

/* Sends bytes that become the wire's (mem_alloc; NULL for none), at most 1 GB. False: out of memory, and the
 * message is lost. */
bool wire_send(struct wire *wire, uint32_t to, enum wire_tag tag, void *bytes, size_t length);
/* The same for a copy of the bytes. */
bool wire_send_copy(struct wire *wire, uint32_t to, enum wire_tag tag, const void *bytes, size_t length);

/* Messages to `to` that have not left yet. */
unsigned wire_unsent(const struct wire *wire, uint32_t to);

struct wire_message {
    uint32_t from;
    enum wire_tag tag;
    uint8_t
        *bytes; /* NULL when there are none; a handler that keeps it sets it to NULL and mem_frees it later */
    size_t length;
};

/* Moves everything on; calls `handle` for each message that is whole. True when anything happened. */
bool wire_poll(struct wire *wire, void (*handle)(void *context, struct wire_message *message), void *context);

/* Nanoseconds to sleep before the next poll: none when something just happened (`any`), else more each time,
 * up to most_ns; a fifth of a millisecond while a message is on its way. */
long wire_pause_ns(struct wire *wire, bool any, long most_ns);
/* Sleeps so long. */
void wire_rest(struct wire *wire, bool any, long most_ns);

/* Waits until all is sent (or `seconds` are over), leaves MPI in good order and frees the wire. */
void wire_close(struct wire *wire, double seconds);

/* Ends all ranks at once. */
_Noreturn void wire_abort(int exit_code);

#endif
