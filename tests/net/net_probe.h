/*
 * What net_probe is asked: a network, how it is to be trained, and numbers. tests/net/torch/ writes it.
 *
 * CASE.txt, words with blanks between them, one thing a line:
 *   value KIND NAME DECAYS [DIM...]     KIND: input, parameter, state or constant
 *   node OPERATOR N_OUTPUTS OUTPUT... N_INPUTS INPUT... [ATTRIBUTE=NUMBER,...]...      INPUT -: not given
 *   output NAME
 *   onnx PATH                           instead of all these
 *   loss KIND LABEL_SMOOTHING DELTA     KIND: of enum loss_kind
 *   optimiser KIND [OPTION=NUMBER]...   KIND: sgd, adam, adamw or rmsprop
 *   train M STEPS LEARNING_RATE THREADS
 * CASE.in, numbers of 4 bytes: parameters, states and constants in the order of their lines (not with onnx),
 * then for each step M inputs and M targets.
 */
#ifndef TESTS_NET_NET_PROBE_H
#define TESTS_NET_NET_PROBE_H

#include <stdio.h>

#include "net/step.h"

struct probe_name { /* a value's, in CASE.txt */
    char *name;
    uint32_t value;
};

struct probe {
    struct net_graph graph;
    struct trainer_options options;
    uint32_t steps;
    double learning_rate;
    FILE *numbers; /* CASE.in, behind the weights */
    struct probe_name *names;
    uint32_t n_names;
};

/* Ends the program with a message when something is wrong with the files; a network that is refused is an
 * error. */
bramble_status probe_read(struct probe *probe, const char *prefix, bramble_error *error);
void probe_fini(struct probe *probe);

/* Reads `n` numbers of 4 bytes. */
void probe_numbers(struct probe *probe, void *out, size_t n);

/* Prints what is wrong and ends the program. */
void probe_die(const char *what, const char *which) __attribute__((noreturn));

#endif
