/* bramble train net: from data to a network's file. */
#include "common.h"
#include "kept_run.h"
#include "net_training.h"

#define NET(field) FIELD(train_net_values, net.field)

static bramble_status check(const struct train_net_values *v, bramble_error *error)
{
    bramble_status status = train_source_check(&v->source, error);
    if (!status && v->plot) status = check_plot(v->plot, error);
    return status ? status : check_output(v->out, v->source.data, error);
}

static bramble_status run(const void *values, bramble_error *error)
{
    const struct train_net_values *v = values;
    bramble_status status = check(v, error);
    return status ? status : net_training_carry_out(v, kept_run_begin("train net", v->words), error);
}

static bramble_status resume(const void *values, const char *id, bramble_error *error)
{
    const struct train_net_values *v = values;
    bramble_run *run;
    bramble_status status = check(v, error);
    if (!status) status = bramble_run_resume(&run, id, error);
    return status ? status : net_training_carry_out(v, run, error);
}

static const struct choice optimisers[] = {
    {"sgd", BRAMBLE_OPTIMISER_SGD},
    {"adam", BRAMBLE_OPTIMISER_ADAM},
    {"adamw", BRAMBLE_OPTIMISER_ADAMW},
    {"rmsprop", BRAMBLE_OPTIMISER_RMSPROP},
    {NULL, 0},
};

static const struct choice losses[] = {
    {"auto", BRAMBLE_LOSS_AUTO},
    {"cross_entropy", BRAMBLE_LOSS_CROSS_ENTROPY},
    {"mean_squared_error", BRAMBLE_LOSS_MEAN_SQUARED_ERROR},
    {"binary_cross_entropy", BRAMBLE_LOSS_BINARY_CROSS_ENTROPY},
    {"huber", BRAMBLE_LOSS_HUBER},
    {NULL, 0},
};

static const struct choice schedules[] = {
    {"constant", BRAMBLE_SCHEDULE_CONSTANT},
    {"step", BRAMBLE_SCHEDULE_STEP},
    {"cosine", BRAMBLE_SCHEDULE_COSINE},
    {"one_cycle", BRAMBLE_SCHEDULE_ONE_CYCLE},
    {NULL, 0},
};

static const struct choice compressions[] = {
    {"none", BRAMBLE_COMPRESS_NONE},
    {"int8", BRAMBLE_COMPRESS_INT8},
    {NULL, 0},
};

static const struct choice strategies[] = {
    {"auto", BRAMBLE_PARALLEL_AUTO},         {"ring", BRAMBLE_PARALLEL_RING},
    {"central", BRAMBLE_PARALLEL_CENTRAL},   {"local", BRAMBLE_PARALLEL_LOCAL},
    {"pipeline", BRAMBLE_PARALLEL_PIPELINE}, {NULL, 0},
};

static const char *const paragraphs[] = {
    "Trains a neural network on DATA and writes it as an ONNX file. The network is a preset, a list of "
    "layers "
    "in a text file, or an ONNX file that another program or bramble itself wrote; docs/networks.md tells of "
    "each. Parameters have PyTorch's names and meanings. The seed decides the result: threads never change a "
    "bit of it.",
    "Numbers are scaled and categories encoded as needed; the model's file has what it takes to do the same "
    "to new data.",
    "The test data are a file (--test), rows drawn from DATA and left out of training (--holdout), or the "
    "test part of DATA where they hold one; without any, the model is not tested. Validation rows "
    "(--validation) are others: they choose the best epoch, and tell when to stop.",
    "On the way a checkpoint is kept in the run's folder, every --checkpoint-seconds and when Ctrl-C stops "
    "the training. 'bramble resume' goes on from it, also after a crash, and comes to the very model an "
    "undisturbed run would have made.",
    "With --cluster every step is taken by all nodes together, each on as many of a batch's rows as its "
    "speed earns. The network is the very one this machine alone would make, whichever nodes take part; they "
    "may be lost and come back. What a resume needs is kept every two seconds then, for a large network "
    "less often. Batches much larger than the default keep many nodes busy.",
    NULL,
};

static const struct argument arguments[] = {
    {.name = "DATA",
     .help = "training data, in any format bramble data describes",
     .offset = FIELD(train_net_values, source.data)},
    {.name = NULL},
};

static const struct option options[] = {
    {.name = "net",
     .value = "SPEC",
     .kind = OPTION_TEXT,
     .offset = NET(net),
     .fallback = "mlp",
     .help = "the network: one of the presets below, or a file: a list of the layers below, or ONNX"},
    {.name = "from-scratch",
     .kind = OPTION_FLAG,
     .offset = NET(from_scratch),
     .help = "draw an ONNX network's weights anew instead of going on from those it has"},
    {.name = "epochs",
     .value = "N",
     .kind = OPTION_COUNT,
     .offset = NET(epochs),
     .min = 1,
     .fallback = "10",
     .help = "times to go through the data"},
    {.name = "batch-size",
     .value = "N",
     .kind = OPTION_COUNT,
     .offset = NET(batch_size),
     .min = 1,
     .max = 1 << 20,
     .fallback = "128",
     .help = "rows a step learns from"},
    {.name = "learning-rate",
     .alias = "lr",
     .value = "X",
     .kind = OPTION_NUMBER,
     .offset = NET(learning_rate),
     .above_min = true,
     .fallback = "0.05 for sgd, 0.001 for adam and adamw, 0.01 for rmsprop",
     .help = "how far a step goes along the gradient"},
    {.name = "optimiser",
     .alias = "optimizer",
     .value = "NAME",
     .kind = OPTION_CHOICE,
     .offset = NET(optimiser),
     .choices = optimisers,
     .fallback = "sgd",
     .help = "what turns gradients into steps"},
    {.name = "momentum",
     .value = "X",
     .kind = OPTION_NUMBER,
     .offset = NET(momentum),
     .max = 1,
     .below_max = true,
     .fallback = "0.9 for sgd, 0 for rmsprop",
     .help = "share of the last step that the next one keeps"},
    {.name = "nesterov",
     .kind = OPTION_FLAG,
     .offset = NET(nesterov),
     .help = "with sgd: look ahead along the momentum"},
    {.name = "weight-decay",
     .value = "X",
     .kind = OPTION_NUMBER,
     .offset = NET(weight_decay),
     .fallback = "0",
     .help = "pull weights towards 0 by this; biases and normalisations excepted"},
    {.name = "loss",
     .value = "NAME",
     .kind = OPTION_CHOICE,
     .offset = NET(loss),
     .choices = losses,
     .fallback = "cross_entropy for classes, mean_squared_error for numbers",
     .help = "what training makes small"},
    {.name = "label-smoothing",
     .value = "SHARE",
     .kind = OPTION_NUMBER,
     .offset = NET(label_smoothing),
     .max = 1,
     .below_max = true,
     .fallback = "0",
     .help = "with cross_entropy: spread this share of the truth over all classes"},
    {.name = "huber-delta",
     .value = "X",
     .kind = OPTION_NUMBER,
     .offset = NET(huber_delta),
     .above_min = true,
     .fallback = "1",
     .help = "with huber: errors beyond this count by their size, not by its square"},
    {.name = "schedule",
     .value = "NAME",
     .kind = OPTION_CHOICE,
     .offset = NET(schedule),
     .choices = schedules,
     .fallback = "constant",
     .help = "how the learning rate changes on the way"},
    {.name = "warmup-epochs",
     .value = "X",
     .kind = OPTION_NUMBER,
     .offset = NET(warmup_epochs),
     .fallback = "0",
     .help = "let the learning rate rise to its value over these first epochs"},
    {.name = "step-epochs",
     .value = "X",
     .kind = OPTION_NUMBER,
     .offset = NET(step_epochs),
     .above_min = true,
     .fallback = "10",
     .help = "with the schedule step: epochs between steps"},
    {.name = "step-factor",
     .value = "X",
     .kind = OPTION_NUMBER,
     .offset = NET(step_factor),
     .above_min = true,
     .max = 1,
     .fallback = "0.1",
     .help = "with the schedule step: what a step multiplies the learning rate by"},
    {.name = "clip-norm",
     .value = "X",
     .kind = OPTION_NUMBER,
     .offset = NET(clip_norm),
     .fallback = "0",
     .help = "shorten gradients that are longer than this; 0 never does"},
    {.name = "max-samples",
     .value = "N",
     .kind = OPTION_COUNT,
     .offset = NET(max_samples),
     .fallback = "0",
     .help = "draw this many rows and train on them alone, for quick tries; 0 takes all"},
    {.name = "validation",
     .value = "SHARE",
     .kind = OPTION_NUMBER,
     .offset = NET(validation),
     .max = 1,
     .below_max = true,
     .fallback = "0",
     .help = "draw this share of the rows, judge each epoch by them, and keep the best epoch's network"},
    {.name = "patience",
     .value = "N",
     .kind = OPTION_COUNT,
     .offset = NET(patience),
     .fallback = "0",
     .help = "with validation: stop after this many epochs without a better one; 0 never does"},
    {.name = "augment",
     .value = "WAYS",
     .kind = OPTION_TEXT,
     .offset = NET(augment),
     .fallback = "none",
     .help = "show images changed at random: crop, flip, cutout, or several with commas between"},
    {.name = "checkpoint-seconds",
     .value = "X",
     .kind = OPTION_NUMBER,
     .offset = NET(checkpoint_seconds),
     .fallback = "60",
     .help = "how often to keep what a resume needs"},
    OPTIONS_TRAIN_SOURCE_OF(train_net_values),
    OPTION_SAMPLE_WEIGHT_AT(FIELD(train_net_values, source.sample_weight)),
    {.name = "out",
     .value = "MODEL",
     .kind = OPTION_TEXT,
     .offset = FIELD(train_net_values, out),
     .fallback = "model.onnx",
     .help = "file to write"},
    {.name = "seed",
     .value = "N",
     .kind = OPTION_SEED,
     .offset = NET(seed),
     .fallback = "0",
     .help = "decides every random choice, and with the data and these options the network"},
    OPTION_THREADS_AT(NET(threads)),
    {.name = "cluster",
     .value = "FILE",
     .kind = OPTION_TEXT,
     .offset = FIELD(train_net_values, cluster),
     .fallback = "this machine alone",
     .help = "train on all machines this file lists together (see bramble cluster init); slurm for those of "
             "the Slurm job"},
    {.name = "parallel",
     .value = "WAY",
     .kind = OPTION_CHOICE,
     .offset = NET(parallel),
     .choices = strategies,
     .fallback = "auto",
     .help = "with a cluster: how its nodes train together (docs/networks.md)"},
    {.name = "local-steps",
     .value = "N",
     .kind = OPTION_COUNT,
     .offset = NET(local_steps),
     .fallback = "0",
     .help = "with --parallel local: batches that all nodes together train on between two averages; 0: 64"},
    {.name = "compress",
     .value = "HOW",
     .kind = OPTION_CHOICE,
     .offset = NET(compress),
     .choices = compressions,
     .fallback = "none",
     .help = "with --parallel ring or local: round what nodes send each other to 8 bits a number, for slow "
             "links"},
    {.name = "staleness",
     .value = "N",
     .kind = OPTION_COUNT,
     .offset = NET(staleness),
     .fallback = "0",
     .help =
         "with --parallel central: let nodes be this many steps ahead of the slowest instead of waiting for "
         "it at each; the network then depends on how fast they were. 0: all wait"},
    OPTION_PLOT_OF(train_net_values),
    OPTION_JSON_OF(train_net_values),
    {.name = "quiet",
     .kind = OPTION_FLAG,
     .offset = FIELD(train_net_values, quiet),
     .help = "print neither progress nor the result"},
    {.name = NULL},
};

static bool preset_entry(uint32_t i, struct listed *listed)
{
    const char *name = bramble_net_preset(i);
    if (name) *listed = (struct listed){name, "", bramble_net_preset_summary(i)};
    return name;
}

static bool layer_entry(uint32_t i, struct listed *listed)
{
    bramble_net_layer layer;
    if (!bramble_net_layer_kind(i, &layer)) return false;
    *listed = (struct listed){layer.name, layer.arguments, layer.what};
    return true;
}

static const struct listing listings[] = {
    {"presets", preset_entry},
    {"layers", layer_entry},
    {NULL, NULL},
};

static const struct json_field fields[] = {
    {"data", "DATA as it was given"},
    {"task", "classification or regression"},
    {"rows", "rows trained on"},
    {"validation_rows", "rows that judged the epochs"},
    {"features", "number of features"},
    {"classes", "names of the classes"},
    {"load_seconds", "time to read the data, test data included"},
    {"net", "the network as it was given"},
    {"layers", "number of layers"},
    {"parameters", "numbers that were trained"},
    {"macs", "multiply-adds that predicting a row takes"},
    {"fit_seconds", "time to train, from the network's making to its last step"},
    {"samples_per_second", "rows trained on in a second of steps, getting them ready included"},
    {"threads", "threads that worked"},
    {"seed", "the seed"},
    {"epochs", "epochs trained"},
    {"best_epoch", "the one whose network was kept: the last, or with --validation the best"},
    {"steps", "steps trained"},
    {"loss", "mean over the last epoch, as it was trained"},
    {"training_accuracy", "the same of the rows predicted right; null for numbers"},
    {"validation_loss", "of the best epoch; null without --validation"},
    {"validation_accuracy", "the same of the rows predicted right"},
    {"trainer_bytes", "memory of activations, gradients, the optimiser and scratch"},
    {"file_bytes", "bytes of the data that were in files, as memory cannot hold them"},
    {"resumed", "whether it went on from a checkpoint"},
    {"test_rows", "rows tested on, when there are test data; the next six then too"},
    {"accuracy", "share of the test rows predicted right"},
    {"log_loss", "mean of -ln(probability given to the true class)"},
    {"macro_f1", "mean over the classes of the harmonic mean of precision and recall"},
    {"r2", "regression: share of the variance explained"},
    {"rmse", "regression: root mean square error"},
    {"mae", "regression: mean absolute error"},
    {"model", "the file that was written"},
    {"model_bytes", "its size"},
    {"model_hash", "hash of the weights: the same network has the same"},
    {"peak_rss_bytes", "the most memory the program had"},
    {"members", "with --cluster: each node's name, state, threads, samples and samples_per_second"},
    {"run", "name of the run, for bramble show"},
    {NULL, NULL},
};

static const struct example examples[] = {
    {"bramble train net /usr/share/datasets/fashion-mnist --net cnn --epochs 3",
     "a small convolutional network, tested on the data's test part"},
    {"bramble train net diamonds.csv --target price --holdout 0.2 --validation 0.1 --patience 5",
     "a regression that stops when it gets no better"},
    {"bramble train net images/ --net pretrained.onnx --lr 0.001", "fine-tuning a network from elsewhere"},
    {"bramble train net photos/ --net cnn --batch-size 512 --cluster cluster.ini",
     "all machines of a cluster, a step together"},
    {NULL, NULL},
};

const struct command command_train_net = {
    .name = "train net",
    .summary = "train a neural network",
    .paragraphs = paragraphs,
    .arguments = arguments,
    .options = options,
    .listings = listings,
    .fields = fields,
    .examples = examples,
    .defaults = &(const struct train_net_values){.out = "model.onnx", .net = BRAMBLE_NET_OPTIONS_INIT},
    .values_size = sizeof(struct train_net_values),
    .run = run,
    .resume = resume,
    .words_offset = FIELD(train_net_values, words),
};
