/* predict.c — one input through a model, and what comes out for people. */
#include <ursa/datablock.h>
#include <ursa/model.h>
#include "base/memory.h"
#include "learner/attachment.h"

#include <stdio.h>
#include <stdlib.h>

/* A prediction, with what it points to. */
struct kept {
    ursa_prediction prediction;
    char *text;
    float *numbers;
};

static void release(void *object)
{
    struct kept *kept = object;
    free(kept->text);
    free(kept->numbers);
    free(kept);
}

/* ---- from outputs to a prediction -------------------------------------------------- */

/* From -1 … 1 across the image to pixels. */
static void to_pixels(float *points, int64_t count, const ursa_item_layout *layout)
{
    for (int64_t i = 0; i < count; i++) {
        int64_t extent = layout->x_shape.dim[i % 2 ? 0 : 1];
        points[i] = (points[i] + 1) / 2 * (float)extent;
    }
}

static char *mask_text(const ursa_outputs *outputs)
{
    char text[80];
    snprintf(text, sizeof text, "a mask of %lld × %lld px", (long long)outputs->shape.dim[0],
             (long long)outputs->shape.dim[1]);
    return ursa_copy_string(text);
}

static char *decision_text(const struct kept *kept, const ursa_outputs *outputs, int64_t item, const ursa_block *block)
{
    int64_t count = kept->prediction.count;
    switch (kept->prediction.kind) {
    case URSA_KIND_CATEGORY:
        return ursa_block_text(block, outputs->decoded + item, ursa_shape());
    case URSA_KIND_MULTI_CATEGORY:
        return ursa_block_text(block, outputs->decoded_values + item * count, ursa_shape(count));
    case URSA_KIND_POINTS:
        return ursa_block_text(block, kept->numbers, ursa_shape(count / 2, 2));
    case URSA_KIND_MASK:
        return mask_text(outputs);
    default:
        return ursa_block_text(block, kept->numbers, count == 1 ? ursa_shape() : ursa_shape(count));
    }
}

static bool fill(struct kept *kept, const ursa_outputs *outputs, int64_t item, const ursa_block *block,
                 const ursa_item_layout *layout)
{
    ursa_prediction *prediction = &kept->prediction;
    *prediction = (ursa_prediction){.kind = block->class->kind, .index = -1, .count = outputs->size};
    kept->numbers = ursa_alloc_array((size_t)outputs->size, sizeof *kept->numbers);
    if (!kept->numbers)
        return false;
    for (int64_t i = 0; i < outputs->size; i++)
        kept->numbers[i] = outputs->predictions[item * outputs->size + i];
    if (prediction->kind == URSA_KIND_POINTS)
        to_pixels(kept->numbers, outputs->size, layout);
    if (prediction->kind == URSA_KIND_CATEGORY)
        prediction->index = outputs->decoded[item];
    if (prediction->kind == URSA_KIND_CATEGORY || prediction->kind == URSA_KIND_MULTI_CATEGORY)
        prediction->vocab = block->vocab;
    kept->text = decision_text(kept, outputs, item, block);
    prediction->text = kept->text;
    prediction->numbers = kept->numbers;
    return kept->text;
}

const ursa_prediction *ursa_prediction_of(ursa_learner *learner, ursa_dataloader *loader, const ursa_outputs *outputs,
                                          int64_t item)
{
    ursa_dataloaders *data = ursa_learner_data(learner);
    if (!data || !loader || !outputs)
        return NULL;
    if (item < 0 || item >= outputs->count || !data->block) {
        ursa_fail(URSA_ERROR_ARGUMENT, "prediction_of: item %lld of %lld", (long long)item, (long long)outputs->count);
        return NULL;
    }
    struct kept *kept = ursa_alloc(sizeof *kept);
    if (kept && fill(kept, outputs, item, &ursa_datablock_options_of(data->block)->blocks[1],
                     ursa_dataset_layout(ursa_dataloader_dataset(loader))))
        return ursa_learner_attach(learner, "prediction", kept, release) ? &kept->prediction : NULL;
    if (kept)
        release(kept);
    return NULL;
}

const ursa_prediction *ursa_predict(ursa_learner *learner, const char *path)
{
    if (!learner || !path)
        return NULL;
    ursa_dataloader *loader = ursa_test_loader(ursa_learner_data(learner), &path, 1);
    ursa_outputs *outputs = loader ? ursa_get_preds(learner, loader) : NULL;
    const ursa_prediction *prediction = ursa_prediction_of(learner, loader, outputs, 0);
    ursa_outputs_free(outputs);
    ursa_dataloader_free(loader);
    return prediction;
}

/* ---- printing ------------------------------------------------------------------------ */

enum { SHOWN = 3 };

/* The `shown` most likely classes, the first first. */
static int likeliest(const ursa_prediction *prediction, int64_t *out)
{
    int shown = 0;
    for (int64_t c = 0; c < prediction->count; c++) {
        int place = shown < SHOWN ? shown++ : SHOWN;
        for (; place > 0 && prediction->numbers[c] > prediction->numbers[out[place - 1]]; place--)
            if (place < SHOWN)
                out[place] = out[place - 1];
        if (place < SHOWN)
            out[place] = c;
    }
    return shown;
}

void ursa_print_prediction(const ursa_prediction *prediction)
{
    if (!prediction)
        return;
    printf("%s", *prediction->text ? prediction->text : "none of the classes");
    int64_t best[SHOWN];
    int shown = prediction->vocab ? likeliest(prediction, best) : 0;
    for (int i = 0; i < shown; i++)
        printf("%s%s %.1f %%", i ? ", " : " (", prediction->vocab[best[i]], 100 * (double)prediction->numbers[best[i]]);
    printf(shown ? ")\n" : "\n");
}
