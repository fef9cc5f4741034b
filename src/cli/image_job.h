/* image_job.h — what the commands on images share: the options that say what the
 * data are and which network is to learn them, and making both. */
#ifndef URSA_CLI_IMAGE_JOB_H
#define URSA_CLI_IMAGE_JOB_H

#include "cli.h"

enum { NOT_GIVEN = INT32_MIN };

typedef struct image_job {
    const char *labels, *label_delim, *image_column, *label_column, *folder, *suffix, *augment;
    const char *arch, *pretrained, *metrics, *precision;
    int size, batch, seed;
    double valid_pct;
    bool no_pretrained, strict, quiet;
    common_options common;
} image_job;

#define IMAGE_DATA_OPTIONS(job)                                                                                        \
    {"labels", OPTION_TEXT, &(job).labels, "HOW",                                                                      \
     "folder (the one a file is in), regex:RE (its first group, in the name) or csv:FILE (folder)"},                   \
        {"label-delim", OPTION_TEXT, &(job).label_delim, "D",                                                          \
         "splits a label into several: images have many classes"},                                                     \
        {"image-column", OPTION_TEXT, &(job).image_column, "NAME", "column of the CSV with the file (the first)"},     \
        {"label-column", OPTION_TEXT, &(job).label_column, "NAME", "column of the CSV with the label (the second)"},   \
        {"folder", OPTION_TEXT, &(job).folder, "NAME", "folder of DATA that the CSV's files are in"},                  \
        {"suffix", OPTION_TEXT, &(job).suffix, ".jpg", "what to put behind the CSV's file names"},                     \
        {"size", OPTION_INT, &(job).size, "N", "pixels images are made high and wide (as they are for IDX; else 64)"}, \
        {"bs", OPTION_INT, &(job).batch, "N", "images per step (64)"},                                                 \
        {"valid-pct", OPTION_NUMBER, &(job).valid_pct, "X",                                                            \
         "share held out at random (0.2, or the part of DATA that is for it)"},                                        \
        {"augment", OPTION_TEXT, &(job).augment, "LIST",                                                               \
         "default, none, or some of flip_vert, max_rotate=10, max_zoom=1.1, … (none)"},                                \
        {"seed", OPTION_INT, &(job).seed, "N", "start of all random numbers (42)"},                                    \
    {                                                                                                                  \
        "strict", OPTION_FLAG, &(job).strict, NULL, "an image that cannot be read is an error; else it is skipped"     \
    }

#define IMAGE_NETWORK_OPTIONS(job)                                                                                      \
    {"arch", OPTION_TEXT, &(job).arch, "NAME", "the network; `ursa arch list` shows all (small-resnet)"},               \
        {"pretrained", OPTION_MAYBE_TEXT, &(job).pretrained, "FILE",                                                    \
         "start from a file of weights; without FILE from the architecture's own"},                                     \
        {"no-pretrained", OPTION_FLAG, &(job).no_pretrained, NULL, "start from random weights (the default)"},          \
        {"precision", OPTION_TEXT, &(job).precision, "P",                                                               \
         "of activations: fp32, fp16 or bf16; weights are always fp32 (fp32)"},                                         \
    {                                                                                                                   \
        "metrics", OPTION_TEXT, &(job).metrics, "LIST", "what to measure: accuracy, error_rate, f1, f2, … (accuracy)" \
    }

/* The defaults. */
void begin_job(image_job *job);
/* Says what is wrong with the options, if anything, as usage_error() does. */
int check_job(const command_spec *spec, const image_job *job);
/* Sets seed, device, log and bars. False with an error. */
bool prepare_job(const image_job *job);
/* The loaders of a path; with the transforms and classes of `like`, if that is
 * not NULL, instead of the job's. NULL with an error. */
ursa_dataloaders *open_job_data(const image_job *job, const char *path, const ursa_datablock_options *like);
/* A learner of the job's network for them. NULL with an error. */
ursa_learner *make_job_learner(const image_job *job, ursa_dataloaders *data);
/* Says what is about to be learned, unless the job is quiet. */
void describe_job(const image_job *job, ursa_learner *learner);

/* The metrics of a list of names, apart by commas; false, with an error that
 * lists all names, when one is not known. */
bool read_metrics(const char *list, bool multiple, ursa_metric out[URSA_METRICS]);
/* The transforms of --augment. */
bool read_augment(const char *list, ursa_transform *out);

#endif
