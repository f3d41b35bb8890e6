/*
 * bramble/net.h: training neural networks.
 *
 * In one call, from a table to a model that predicts like any other (model.h):
 *
 *     bramble_net_options options = BRAMBLE_NET_OPTIONS_INIT;
 *     options.net = "cnn";
 *     options.epochs = 5;
 *     bramble_net_train(&model, table, &options, &stats, &error);
 *
 * Or a step at a time, on arrays of your own:
 *
 *     bramble_trainer *trainer;
 *     bramble_trainer_open(&trainer, table, &options, &error);
 *     while (...) bramble_trainer_step(trainer, x, y, n_rows, 0.05, &step, &error);
 *     bramble_trainer_model(trainer, &model, &error);
 *     bramble_trainer_free(trainer);
 *
 * Parameters carry PyTorch's names and meanings. The same data, options and seed give the same weights bit
 * for bit on any number of threads and on x86-64 and arm64, and so does a training that was interrupted and
 * gone on with.
 */
#ifndef BRAMBLE_NET_H
#define BRAMBLE_NET_H

#include <bramble/engine.h>
#include <bramble/model.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef enum bramble_loss {
    BRAMBLE_LOSS_AUTO = 0, /* cross-entropy for classes, mean squared error for numbers */
    BRAMBLE_LOSS_CROSS_ENTROPY,
    BRAMBLE_LOSS_MEAN_SQUARED_ERROR,
    BRAMBLE_LOSS_BINARY_CROSS_ENTROPY, /* classes, each against the rest: the model's probabilities are then
                                          each output's sigmoid, divided by the sum of all as scikit-learn's
                                          OneVsRestClassifier has it; else the softmax */
    BRAMBLE_LOSS_HUBER,
} bramble_loss;

typedef enum bramble_optimiser {
    BRAMBLE_OPTIMISER_SGD = 0,
    BRAMBLE_OPTIMISER_ADAM,
    BRAMBLE_OPTIMISER_ADAMW,
    BRAMBLE_OPTIMISER_RMSPROP,
} bramble_optimiser;

/* How the nodes of a cluster train a network together (docs/networks.md, "On a cluster"). */
typedef enum bramble_parallel {
    BRAMBLE_PARALLEL_AUTO, /* ring */
    BRAMBLE_PARALLEL_RING, /* each takes a share of every batch; gradients go from node to node. The result is
                              one machine's, bit for bit */
    BRAMBLE_PARALLEL_CENTRAL, /* the same by way of one node, which adds the gradients up; or, with staleness,
                                 no node waits for the others */
    BRAMBLE_PARALLEL_LOCAL,   /* each trains by itself; now and then their weights are averaged */
    BRAMBLE_PARALLEL_PIPELINE /* each has some of the layers */
} bramble_parallel;

typedef enum bramble_compress {
    BRAMBLE_COMPRESS_NONE,
    BRAMBLE_COMPRESS_INT8 /* rounded to 8 bits a number; what that loses is sent later */
} bramble_compress;

/* How the learning rate goes on behind the warm-up. */
typedef enum bramble_schedule {
    BRAMBLE_SCHEDULE_CONSTANT = 0,
    BRAMBLE_SCHEDULE_STEP,      /* times step_factor every step_epochs */
    BRAMBLE_SCHEDULE_COSINE,    /* down to 0 at the end, along half a cosine */
    BRAMBLE_SCHEDULE_ONE_CYCLE, /* up from a 25th of it, over warmup_epochs or else 0.3 of the whole, and
                                   down to almost nothing, each along half a cosine */
} bramble_schedule;

/* How far training is; told from the thread that called, after steps, a few times a second, and at the end of
 * each epoch. */
typedef struct bramble_net_progress {
    uint32_t epoch, epochs;               /* the one at work, from 1, of how many */
    uint64_t samples_done, samples_total; /* of all epochs; samples_done is 0 or more at the start of a
                                             training that is gone on with */
    uint64_t step;                        /* steps done */
    double loss, accuracy;                /* means over this epoch so far; accuracy is NaN for numbers */
    double learning_rate;                 /* of the last step */
    double samples_per_second;    /* trained in this call, by the time spent in steps and their data */
    double seconds, seconds_left; /* since this process began to train; until it is done */
    bool epoch_done;              /* an epoch ended; then also: */
    double validation_loss, validation_accuracy; /* NaN without validation rows */
    bool best;                                   /* this epoch's weights are the best so far */
    const bramble_member *members;               /* the cluster's nodes, n_members; their tasks are samples */
    size_t n_members;
} bramble_net_progress;

typedef struct bramble_net_options {
    const char *net;   /* "mlp", "cnn", "resnet20", ... (bramble_net_preset), else a file: ONNX, or a list of
                          layers (docs/networks.md) */
    bool from_scratch; /* ONNX: draw its weights anew instead of going on from those it has */
    uint32_t epochs;   /* >= 1 */
    uint32_t batch_size;  /* >= 1; what remains of an epoch makes a smaller last batch */
    double learning_rate; /* 0: 0.05 for sgd, 0.001 for adam and adamw, 0.01 for rmsprop */
    bramble_optimiser optimiser;
    double momentum; /* sgd, rmsprop; -1: 0.9 for sgd, 0 for rmsprop */
    bool nesterov;   /* sgd */
    double weight_decay;
    bramble_loss loss;
    double label_smoothing; /* cross-entropy: 0 <= . < 1 */
    double huber_delta;     /* > 0 */
    bramble_schedule schedule;
    double warmup_epochs; /* the learning rate rises to its value over these first epochs */
    double step_epochs;   /* schedule "step": > 0 */
    double step_factor;   /* schedule "step": 0 < . <= 1 */
    double clip_norm;     /* gradients longer than this are shortened to it; 0: never */
    uint32_t max_samples; /* train on so many rows, drawn by the seed; 0: on all */
    double validation;    /* this share of the rows, drawn by the seed, measures each epoch instead of being
                             trained on; 0: none. The model then is the best epoch's */
    uint32_t patience;    /* stop after so many epochs in a row without a better one; 0: never; needs
                             validation */
    const char *augment;  /* images: "crop", "flip", "cutout", any of them with commas between; NULL: none */
    uint64_t seed;        /* of weights, order, dropout, augmentation, validation rows */
    uint32_t threads;     /* 0: all processors */
    bramble_engine *engine; /* train on its nodes together; NULL: on this machine. The model is the same. What
                               is kept to go on from is in the engine's folder: checkpoint and
                               checkpoint_seconds have no meaning then */
    bramble_parallel parallel; /* the following are for an engine's nodes */
    bramble_compress compress; /* ring, local: how numbers travel; int8 is not exact */
    uint32_t local_steps;      /* local: batches of all nodes together between two averages; 0: 64 */
    uint32_t staleness; /* central: how many rounds of batches a node may be ahead of the slowest one's; 0:
                           none, and exact */
    const char *checkpoint;    /* a file to keep what a later call with the same data and options needs to go
                                  on; if it is there, this call goes on from it. NULL: none */
    double checkpoint_seconds; /* how often it is written; one more when `progress` stops training */
    bool (*progress)(const bramble_net_progress *progress, void *context); /* false stops; or NULL */
    void *progress_context;
} bramble_net_options;
#define BRAMBLE_NET_OPTIONS_INIT                                                                             \
    {                                                                                                        \
        .net = "mlp", .epochs = 10, .batch_size = 128, .momentum = -1, .huber_delta = 1, .step_epochs = 10,  \
        .step_factor = 0.1, .checkpoint_seconds = 60                                                         \
    }

/* What training came to and cost. */
typedef struct bramble_net_stats {
    uint32_t epochs;     /* trained, those before it was gone on with too */
    uint32_t best_epoch; /* whose weights the model has: the last, or with validation the best */
    uint64_t steps;
    uint64_t rows, validation_rows;
    double loss, accuracy; /* mean over the last epoch, as it was trained; accuracy NaN for numbers */
    double validation_loss, validation_accuracy; /* of best_epoch; NaN without validation */
    double fit_seconds;                          /* of this call */
    double samples_per_second; /* trained in this call, by the time spent in steps and their data */
    uint32_t threads;
    uint64_t trainer_bytes; /* activations, gradients, the optimiser's numbers, scratch */
    uint64_t file_bytes;    /* of its copy of the rows in a file, as memory cannot hold them */
    bool resumed;           /* it went on from the checkpoint */
} bramble_net_stats;

/*
 * Trains on `train` (which must have a target) and gives a model that no longer needs it. stats may be NULL.
 * Where the table has weights, a batch's loss is sum(weight loss) / sum(weight), and so are validation's
 * figures; the accuracy in training counts rows. Weights that are all the same are none.
 * When the loss stops being a finite number: BRAMBLE_ERR_DATA, with the step and the layer where it began;
 * the checkpoint, if any, stays the last good one.
 */
BRAMBLE_API bramble_status bramble_net_train(bramble_model **out, const bramble_table *train,
                                             const bramble_net_options *options, bramble_net_stats *stats,
                                             bramble_error *error);

/* Names of the networks that need no file, `i` from 0 until it returns NULL; static storage. */
BRAMBLE_API const char *bramble_net_preset(uint32_t i);
/* What it is, in a few words; as long as there is a name. */
BRAMBLE_API const char *bramble_net_preset_summary(uint32_t i);

/* A line that a list of layers can have (docs/layer-lists.md). */
typedef struct bramble_net_layer {
    const char *name, *arguments, *what; /* "conv", "CHANNELS KERNEL [stride N] ...", a few words */
} bramble_net_layer;

/* The kinds of them, `i` from 0 until it returns false; static storage. */
BRAMBLE_API bool bramble_net_layer_kind(uint32_t i, bramble_net_layer *out);

typedef struct bramble_trainer bramble_trainer;

/* What a step gave. */
typedef struct bramble_step {
    uint64_t step;        /* from 1 */
    double loss;          /* mean over the rows, before the update */
    double gradient_norm; /* of all parameters, before clipping */
    double accuracy;      /* share of the rows that were predicted right; NaN for numbers */
} bramble_step;

/*
 * A network for rows like those of `table`, which gives it its input, its target and the statistics that
 * scale both; it is not needed any longer afterwards. Of the options those of the network, the optimiser and
 * the loss count, batch_size (the most rows a step takes), the seed and threads. Weights of the table do not:
 * they are given to each step.
 */
BRAMBLE_API bramble_status bramble_trainer_open(bramble_trainer **out, const bramble_table *table,
                                                const bramble_net_options *options, bramble_error *error);

/* One step on rows x, n_rows x F as bramble_model_predict_rows takes them, and their targets: class numbers
 * or values. When the result is not finite: BRAMBLE_ERR_DATA, and the network is as before. */
BRAMBLE_API bramble_status bramble_trainer_step(bramble_trainer *trainer, const float *x, const double *y,
                                                size_t n_rows, double learning_rate, bramble_step *out,
                                                bramble_error *error);

/* The same of rows that weigh[n_rows], finite and >= 0; NULL: all the same. The loss is sum(weight loss) /
 * sum(weight), so only ratios count: weights that are all the same are none, a row that weighs 0 has no part
 * in it, and where all do it and its gradient are 0. Accuracy and batch normalisation take every row alike.
 */
BRAMBLE_API bramble_status bramble_trainer_step_weighted(bramble_trainer *trainer, const float *x,
                                                         const double *y, const double *weight, size_t n_rows,
                                                         double learning_rate, bramble_step *out,
                                                         bramble_error *error);

/* The network as it is now, as a model of its own. */
BRAMBLE_API bramble_status bramble_trainer_model(const bramble_trainer *trainer, bramble_model **out,
                                                 bramble_error *error);

/* NULL is fine. */
BRAMBLE_API void bramble_trainer_free(bramble_trainer *trainer);

#ifdef __cplusplus
}
#endif
#endif
