#include "figures.h"

#include <stdio.h>
#include <string.h>

#include "report/readable.h"

enum { NAME_COLUMNS = 16, CELL_NAME_COLUMNS = 8, MISTAKES_SHOWN = 10 };

void figures_print(const bramble_evaluation *e)
{
    if (e->n_classes)
        printf("accuracy %s, log-loss %.4f, macro-F1 %.4f", readable_percent(e->accuracy).text, e->log_loss,
               e->macro_f1);
    else
        printf("R2 %.4f, RMSE %s, MAE %s", e->r2, readable_number(e->rmse).text,
               readable_number(e->mae).text);
}

void figures_put(struct json_out *out, const bramble_evaluation *e)
{
    if (e->n_classes) {
        json_out_number(out, "accuracy", e->accuracy);
        json_out_number(out, "log_loss", e->log_loss);
        json_out_number(out, "macro_f1", e->macro_f1);
    } else {
        json_out_number(out, "r2", e->r2);
        json_out_number(out, "rmse", e->rmse);
        json_out_number(out, "mae", e->mae);
    }
}

/* A cell holds rows, or their weights. */
static struct readable cell_text(double value)
{
    if (value == (double)(uint64_t)value) return readable_count((uint64_t)value);
    return readable_number(value);
}

/* Columns that the widest cell or heading of column c takes. */
static unsigned column_width(const bramble_evaluation *e, const bramble_schema *schema, uint32_t c)
{
    unsigned width =
        readable_columns(readable_name(bramble_schema_class_name(schema, c), CELL_NAME_COLUMNS).text);
    for (uint32_t t = 0; t < e->n_classes; t++) {
        unsigned cell = (unsigned)strlen(cell_text(e->confusion[(size_t)t * e->n_classes + c]).text);
        if (cell > width) width = cell;
    }
    return width;
}

static void print_padded(const char *text, unsigned width, bool left)
{
    unsigned columns = readable_columns(text);
    int pad = columns < width ? (int)(width - columns) : 0;
    printf("%*s%s%*s", left ? 0 : pad, "", text, left ? pad : 0, "");
}

static void print_matrix(const bramble_evaluation *e, const bramble_schema *schema)
{
    printf("confusion (rows: truth, columns: prediction)\n  %*s", NAME_COLUMNS, "");
    for (uint32_t c = 0; c < e->n_classes; c++) {
        printf("  ");
        print_padded(readable_name(bramble_schema_class_name(schema, c), CELL_NAME_COLUMNS).text,
                     column_width(e, schema, c), false);
    }
    printf("\n");
    for (uint32_t t = 0; t < e->n_classes; t++) {
        printf("  ");
        print_padded(readable_name(bramble_schema_class_name(schema, t), NAME_COLUMNS).text, NAME_COLUMNS,
                     true);
        for (uint32_t c = 0; c < e->n_classes; c++) {
            printf("  ");
            print_padded(cell_text(e->confusion[(size_t)t * e->n_classes + c]).text,
                         column_width(e, schema, c), false);
        }
        printf("\n");
    }
}

struct mistake {
    uint32_t truth, prediction;
    double rows;
};

/* Keeps the largest first; returns how many there are now. */
static unsigned insert_mistake(struct mistake *most, unsigned n, struct mistake mistake)
{
    unsigned i = n < MISTAKES_SHOWN ? n : MISTAKES_SHOWN;
    if (n < MISTAKES_SHOWN) n++;
    for (; i > 0 && most[i - 1].rows < mistake.rows; i--)
        if (i < MISTAKES_SHOWN) most[i] = most[i - 1];
    if (i < MISTAKES_SHOWN) most[i] = mistake;
    return n;
}

static void print_mistakes(const bramble_evaluation *e, const bramble_schema *schema)
{
    struct mistake most[MISTAKES_SHOWN];
    unsigned n = 0;
    for (uint32_t t = 0; t < e->n_classes; t++)
        for (uint32_t c = 0; c < e->n_classes; c++) {
            double rows = e->confusion[(size_t)t * e->n_classes + c];
            if (t != c && rows > 0) n = insert_mistake(most, n, (struct mistake){t, c, rows});
        }
    if (!n) return;
    printf("most frequent mistakes (--json has the whole confusion matrix)\n");
    for (unsigned i = 0; i < n; i++) {
        printf("  %8s  ", cell_text(most[i].rows).text);
        print_padded(readable_name(bramble_schema_class_name(schema, most[i].truth), 2 * NAME_COLUMNS).text,
                     NAME_COLUMNS, true);
        printf("  taken for  %s\n",
               readable_name(bramble_schema_class_name(schema, most[i].prediction), 2 * NAME_COLUMNS).text);
    }
}

void figures_print_confusion(const bramble_evaluation *e, const bramble_schema *schema, unsigned columns)
{
    if (!e->confusion) return;
    unsigned width = 2 + NAME_COLUMNS;
    for (uint32_t c = 0; c < e->n_classes && width <= columns; c++) width += 2 + column_width(e, schema, c);
    if (width <= columns)
        print_matrix(e, schema);
    else
        print_mistakes(e, schema);
}

void figures_put_confusion(struct json_out *out, const bramble_evaluation *e)
{
    if (!e->confusion) return;
    json_t *rows = json_array();
    for (uint32_t t = 0; t < e->n_classes; t++) {
        json_t *row = json_array();
        for (uint32_t c = 0; c < e->n_classes; c++)
            if (json_array_append_new(row, json_from_number(e->confusion[(size_t)t * e->n_classes + c])) != 0)
                out->failed = true;
        if (json_array_append_new(rows, row) != 0) out->failed = true;
    }
    json_out_put(out, "confusion", rows);
}

void figures_put_classes(struct json_out *out, const bramble_schema *schema)
{
    uint32_t n_classes = bramble_schema_n_classes(schema);
    if (!n_classes) return;
    json_t *names = json_array();
    for (uint32_t c = 0; c < n_classes; c++)
        if (json_array_append_new(names, json_from_text(bramble_schema_class_name(schema, c))) != 0)
            out->failed = true;
    json_out_put(out, "classes", names);
}
