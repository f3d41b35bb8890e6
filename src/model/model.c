#include "model/model.h"

#include "base/mem.h"

void model_free(struct bramble_model *model)
{
    if (!model) return;
    forest_free(model->forest);
    if (model->net) graph_fini(model->net);
    mem_free(model->net);
    encoder_fini(&model->encoder);
    schema_fini(&model->schema);
    for (uint32_t i = 0; i < model->n_settings; i++) {
        mem_free(model->settings[i].key);
        mem_free(model->settings[i].value);
    }
    mem_free(model->settings);
    mem_free(model);
}
