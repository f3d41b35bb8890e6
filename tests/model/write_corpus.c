/* write_corpus FOLDER: the small models that fuzz_model starts from (fuzz/corpus/model). */
#include "hand_forest.h"

static void write_model(const char *folder, const char *name, struct bramble_model *model)
{
    char path[512];
    bramble_error error;
    snprintf(path, sizeof path, "%s/%s", folder, name);
    model->forest->trees[0].nodes[0].cover = 7;
    if (model_save(model, path, &error)) {
        fprintf(stderr, "%s\n", error.message);
        exit(1);
    }
    model_free(model);
}

int main(int argc, char **argv)
{
    if (argc != 2) return 2;
    const bramble_task classes = BRAMBLE_TASK_CLASSIFICATION, numbers = BRAMBLE_TASK_REGRESSION;
    write_model(argv[1], "leaf", hand_model(8, &(struct hand_options){numbers, 0, 1, 1, 0, false, false}));
    write_model(argv[1], "regression",
                hand_model(9, &(struct hand_options){numbers, 0, 2, 2, 3, false, false}));
    write_model(argv[1], "two", hand_model(3, &(struct hand_options){classes, 2, 2, 2, 3, true, false}));
    write_model(argv[1], "three", hand_model(4, &(struct hand_options){classes, 3, 2, 3, 2, false, false}));
    write_model(argv[1], "pure", hand_model(6, &(struct hand_options){classes, 4, 2, 2, 3, true, true}));
    write_model(argv[1], "categories",
                hand_model(11, &(struct hand_options){classes, 3, 3, 2, 4, false, false}));
    write_model(argv[1], "chain", hand_chain(6));
    return 0;
}
