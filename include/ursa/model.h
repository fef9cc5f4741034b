/* model.h — the file of a trained model, and predictions from it.
 *
 * One safetensors file holds the weights and, as JSON in its metadata, what it
 * takes to use them: the architecture, the blocks with their vocabularies, the
 * transforms, the loss. Python's safetensors package reads it; reading it here
 * builds only what this library knows by name, and executes nothing.
 */
#ifndef URSA_MODEL_H
#define URSA_MODEL_H

#include <ursa/vision.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Writes a learner's model. The file is written beside its place and moved
 * there, so that a crash leaves the old one. The same training gives the same
 * bytes. An error for learners whose network is not of ursa_vision_learner(), or
 * whose data have no data block: nothing could build them again. */
URSA_API bool ursa_export(ursa_learner *learner, const char *path);

/* A learner that predicts, in inference mode, without data: its loaders make
 * test loaders, and it can be trained further when ursa_learner_set_data() gives
 * it data. NULL, with an error that names the file, when it is none of ours, or
 * damaged, or was written by a version that this one does not know. Freed, with
 * its loaders, by ursa_learner_free() or by ursa_finish(). */
URSA_API ursa_learner *ursa_load_learner(const char *path);

/* What a model makes of one input. */
typedef struct ursa_prediction {
    ursa_kind kind;
    const char *text;     /* for people: "grizzly", "bag;dress", "31.5, 12.0" */
    int64_t index;        /* of the class, for categories; else -1 */
    const float *numbers; /* [count]: probabilities of the classes; points in pixels of the input
                             as the network sees it; numbers of a regression; classes of pixels */
    int64_t count;
    const char *const *vocab; /* [count] names for categories, single and multiple; else NULL */
} ursa_prediction;

/* Reads a file as the model's data block reads inputs, and predicts. The
 * prediction is the learner's, valid until its next one. NULL with an error. */
URSA_API const ursa_prediction *ursa_predict(ursa_learner *learner, const char *path);

/* The same for an item of the outputs that ursa_get_preds(learner, loader) gave. */
URSA_API const ursa_prediction *ursa_prediction_of(ursa_learner *learner, ursa_dataloader *loader,
                                                   const ursa_outputs *outputs, int64_t item);

/* Prints a line: what it is, and how likely, with the three likeliest classes.
 * NULL prints nothing. */
URSA_API void ursa_print_prediction(const ursa_prediction *prediction);

#ifdef __cplusplus
}
#endif
#endif
