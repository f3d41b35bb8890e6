/*
 * What exporters write as several nodes and is one operator here:
 *
 *   Gelu                x / sqrt 2 -> Erf -> + 1 -> * x -> * 0.5, in any order of the products
 *   HardSwish           HardSigmoid(x) with alpha 1/6 -> * x
 *   LayerNormalization  x - mean -> squared -> mean -> + epsilon -> sqrt; (x - mean) / it -> * scale -> +
 * bias
 */
#include <math.h>
#include <string.h>

#include "model/net_read.h"
#include "model/net_read_fold.h"

bool reader_is(const Onnx__NodeProto *node, const char *op_type)
{
    return strcmp(node->op_type, op_type) == 0;
}

const Onnx__NodeProto *reader_only_reader(const struct net_reader *r, const char *name, size_t *number)
{
    const struct name_entry *entry = names_find(&r->readers, name);
    if (!entry || entry->number >= r->proto->n_node || r->done[entry->number]) return NULL;
    *number = entry->number;
    return r->proto->node[entry->number];
}

bool reader_scalar(struct net_reader *r, const char *name, double *number)
{
    const struct named *named = reader_named(r, name);
    if (named && !named->is_view) return fold_uniform(&named->known, number) && named->known.n == 1;
    const struct name_entry *entry = named ? NULL : names_find(&r->makers, name);
    if (!entry) return false;
    /* a Constant that stands further down */
    const Onnx__NodeProto *maker = r->proto->node[entry->number];
    struct known known;
    for (size_t a = 0; reader_is(maker, "Constant") && a < maker->n_attribute; a++)
        if (maker->attribute[a]->t && !known_from_proto(&known, maker->attribute[a]->t) && known.n == 1) {
            *number = known_number(&known, 0);
            return true;
        }
    return false;
}

static bool near(double a, double b)
{
    return fabs(a - b) <= 1e-4 * fabs(b);
}

/* A path along nodes of which each alone reads what the one before makes. */
struct path {
    struct net_reader *r;
    const char *at; /* the name of what the last one makes */
    size_t numbers[12];
    uint32_t n;
};

/* The next node, when it is of that type; *other is its other input (NULL with one). */
static bool follow(struct path *path, const char *op_type, const char **other)
{
    size_t number;
    const Onnx__NodeProto *node = reader_only_reader(path->r, path->at, &number);
    if (!node || !reader_is(node, op_type) || node->n_output != 1 || node->n_input < 1 || node->n_input > 2)
        return false;
    *other = node->n_input == 2 ? node->input[strcmp(node->input[0], path->at) == 0] : NULL;
    path->at = node->output[0];
    path->numbers[path->n++] = number;
    return true;
}

static bool follow_number(struct path *path, const char *op_type, double wanted)
{
    const char *other;
    double number;
    return follow(path, op_type, &other) && other && reader_scalar(path->r, other, &number) &&
           near(number, wanted);
}

static void take(const struct path *path)
{
    for (uint32_t i = 0; i < path->n; i++) path->r->done[path->numbers[i]] = true;
}

static bool find_gelu(struct path *path, const char *x)
{
    const char *other;
    if (!follow(path, "Erf", &other) || !follow_number(path, "Add", 1) || !follow(path, "Mul", &other) ||
        !other)
        return false;
    if (strcmp(other, x) == 0) return follow_number(path, "Mul", 0.5);
    const struct name_entry *half = names_find(&path->r->makers, other);
    const Onnx__NodeProto *maker = half ? path->r->proto->node[half->number] : NULL;
    double number;
    if (!maker || !reader_is(maker, "Mul") || maker->n_input != 2) return false;
    uint32_t at = strcmp(maker->input[0], x) == 0 ? 1 : 0;
    if (strcmp(maker->input[1 - at], x) != 0 || !reader_scalar(path->r, maker->input[at], &number))
        return false;
    path->numbers[path->n++] = half->number;
    return near(number, 0.5);
}

static bramble_status match_gelu(struct net_reader *r, bool *matched)
{
    struct path path = {.r = r, .at = r->node->output[0]};
    double number;
    bool divides = reader_is(r->node, "Div");
    if (r->node->n_input != 2 || !reader_scalar(r, r->node->input[1], &number)) return BRAMBLE_OK;
    if (!near(number, divides ? M_SQRT2 : M_SQRT1_2) || !find_gelu(&path, r->node->input[0]))
        return BRAMBLE_OK;
    const struct view *x;
    bramble_status status = reader_view(r, 0, &x);
    if (status) return status;
    struct view out = *x;
    status = reader_add_unary(r, "Gelu", x->value, NULL, &out.value);
    take(&path);
    *matched = true;
    return status ? status : reader_define(r, path.at, &out, NULL);
}

/* HardSigmoid and the product may both read x only. */
static bramble_status match_hard_swish(struct net_reader *r, bool *matched)
{
    struct path path = {.r = r, .at = r->node->output[0]};
    const char *other;
    if (!near(reader_float(r, "alpha", 0.2f), 1.0 / 6) || !near(reader_float(r, "beta", 0.5f), 0.5))
        return BRAMBLE_OK;
    if (!follow(&path, "Mul", &other) || !other || strcmp(other, r->node->input[0]) != 0) return BRAMBLE_OK;
    const struct view *x;
    bramble_status status = reader_view(r, 0, &x);
    if (status) return status;
    struct view out = *x;
    status = reader_add_unary(r, "HardSwish", x->value, NULL, &out.value);
    take(&path);
    *matched = true;
    return status ? status : reader_define(r, path.at, &out, NULL);
}

struct layer_norm {
    const char *x, *scale, *bias;
    double epsilon;
    uint32_t axis;
};

/* Whether a node is a mean over all axes from *axis to the last, which are kept with size 1. */
static bool is_mean(struct net_reader *r, const Onnx__NodeProto *node, uint32_t n_axes, uint32_t *axis)
{
    const Onnx__NodeProto *here = r->node;
    int64_t axes[VIEW_AXES_MAX];
    uint32_t n = 0, set = 0;
    r->node = node;
    bramble_error *error = r->error;
    r->error = NULL;
    bool is = reader_is(node, "ReduceMean") && node->n_input == 1 && reader_int(r, "keepdims", 1) &&
              !reader_ints(r, "axes", 0, axes, VIEW_AXES_MAX, &n) && n;
    for (uint32_t i = 0; is && i < n; i++) {
        uint32_t a = 0;
        is = !reader_axis(r, axes[i], n_axes, &a);
        set |= 1u << a;
    }
    r->error = error;
    r->node = here;
    *axis = n_axes - n;
    return is && n <= n_axes && set == ((1u << n_axes) - 1) >> *axis << *axis;
}

/* The nodes that read a name, up to `most` of them, among those not done; how many. */
static uint32_t find_readers(const struct net_reader *r, const char *name, size_t *numbers, uint32_t most)
{
    uint32_t n = 0;
    for (size_t i = r->node_number; i < r->proto->n_node && i < r->node_number + 40; i++)
        for (size_t k = 0; k < r->proto->node[i]->n_input; k++)
            if (strcmp(r->proto->node[i]->input[k], name) == 0) {
                if (n < most) numbers[n] = i;
                n++;
                break;
            }
    return n;
}

/* From x - mean on: both its readers lead to a Div. */
static bool find_normalised(struct path *path, struct layer_norm *norm, uint32_t n_axes)
{
    struct net_reader *r = path->r;
    size_t numbers[2];
    const char *centred = path->at, *other;
    if (find_readers(r, centred, numbers, 2) != 2) return false;
    const Onnx__NodeProto *first = r->proto->node[numbers[0]], *second = r->proto->node[numbers[1]];
    bool power_first = reader_is(first, "Pow") || reader_is(first, "Mul");
    const Onnx__NodeProto *power = power_first ? first : second, *quotient = power_first ? second : first;
    double exponent = 0;
    uint32_t axis;
    if (!reader_is(quotient, "Div") || quotient->n_input != 2 || power->n_input != 2 || power->n_output != 1)
        return false;
    bool squares = reader_is(power, "Pow") && reader_scalar(r, power->input[1], &exponent) && exponent == 2;
    if (!squares && !(reader_is(power, "Mul") && strcmp(power->input[0], power->input[1]) == 0)) return false;
    path->numbers[path->n++] = numbers[power_first ? 0 : 1];
    path->numbers[path->n++] = numbers[power_first ? 1 : 0];
    path->at = power->output[0];
    if (!follow(path, "ReduceMean", &other)) return false;
    if (!is_mean(r, r->proto->node[path->numbers[path->n - 1]], n_axes, &axis) || axis != norm->axis)
        return false;
    if (!follow(path, "Add", &other) || !other || !reader_scalar(r, other, &norm->epsilon)) return false;
    if (!follow(path, "Sqrt", &other)) return false;
    if (strcmp(quotient->input[0], centred) != 0 || strcmp(quotient->input[1], path->at) != 0) return false;
    path->at = quotient->output[0];
    return true;
}

/* scale and bias: known tensors of as many axes as were normalised. */
static bool find_scale(struct path *path, const char *op_type, const char **name, uint32_t rank)
{
    const char *other;
    if (!follow(path, op_type, &other) || !other) return false;
    const struct named *named = reader_named(path->r, other);
    *name = other;
    return named && !named->is_view && named->known.rank == rank;
}

static bramble_status match_layer_norm(struct net_reader *r, bool *matched)
{
    struct layer_norm norm;
    struct path path = {.r = r, .at = r->node->output[0]};
    const char *other;
    const struct view *x;
    bramble_status status = reader_view(r, 0, &x);
    if (status) return status;
    uint32_t n_axes = x->n_axes;
    if (!is_mean(r, r->node, n_axes, &norm.axis)) return BRAMBLE_OK;
    if (!follow(&path, "Sub", &other) || !other || strcmp(other, r->node->input[0]) != 0) return BRAMBLE_OK;
    if (!find_normalised(&path, &norm, n_axes)) return BRAMBLE_OK;
    if (!find_scale(&path, "Mul", &norm.scale, n_axes - norm.axis)) return BRAMBLE_OK;
    if (!find_scale(&path, "Add", &norm.bias, n_axes - norm.axis)) return BRAMBLE_OK;
    struct view out = *x;
    status = add_layer_normalization(r, &out, norm.axis, norm.scale, norm.bias, (float)norm.epsilon);
    take(&path);
    *matched = true;
    return status ? status : reader_define(r, path.at, &out, NULL);
}

bramble_status reader_match(struct net_reader *r, bool *matched)
{
    struct operand x;
    *matched = false;
    bramble_status status = reader_operand(r, 0, &x);
    if (status || !x.view || r->node->n_output != 1) return status;
    if (reader_is(r->node, "Div") || reader_is(r->node, "Mul")) return match_gelu(r, matched);
    if (reader_is(r->node, "HardSigmoid")) return match_hard_swish(r, matched);
    if (reader_is(r->node, "ReduceMean")) return match_layer_norm(r, matched);
    return BRAMBLE_OK;
}
