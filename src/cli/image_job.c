/* image_job.c — from options to loaders and a learner. */
#include "image_job.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* ---- options ---------------------------------------------------------------------- */

void begin_job(image_job *job)
{
    *job = (image_job){.arch = "small-resnet", .size = NOT_GIVEN, .batch = 64, .seed = 42, .valid_pct = NOT_GIVEN};
}

int check_job(const command_spec *spec, const image_job *job)
{
    if (job->size != NOT_GIVEN && (job->size < 1 || job->size > 4096))
        return usage_error(spec, "--size is %d; expected 1 to 4096 pixels", job->size);
    if (job->batch < 1)
        return usage_error(spec, "--bs is %d; expected 1 or more", job->batch);
    if (job->valid_pct != NOT_GIVEN && !(job->valid_pct > 0 && job->valid_pct < 1))
        return usage_error(spec, "--valid-pct is %g; expected a number between 0 and 1", job->valid_pct);
    if (job->pretrained && job->no_pretrained)
        return usage_error(spec, "--pretrained and --no-pretrained exclude each other");
    ursa_dtype precision;
    if (!read_precision(job->precision, &precision))
        return usage_error(spec, "--precision is \"%s\"; expected fp32, fp16 or bf16", job->precision);
    bool labels = !job->labels || strcmp(job->labels, "folder") == 0 || strncmp(job->labels, "regex:", 6) == 0 ||
                  strncmp(job->labels, "csv:", 4) == 0;
    if (!labels)
        return usage_error(spec, "--labels is \"%s\"; expected folder, regex:RE or csv:FILE", job->labels);
    return EXIT_FINE;
}

bool prepare_job(const image_job *job)
{
    say_warnings();
    ursa_set_seed((uint64_t)job->seed);
    ursa_set_progress(!job->quiet);
    return apply_common(&job->common);
}

/* ---- data -------------------------------------------------------------------------- */

static bool starts_with(const char *text, const char *start)
{
    return text && strncmp(text, start, strlen(start)) == 0;
}

static bool exists(const char *folder, const char *name)
{
    char path[4096];
    snprintf(path, sizeof path, "%s%s%s", folder, *folder ? "/" : "", name);
    return access(path, R_OK) == 0;
}

/* IDX files hold images of one size, so that none need be given. */
static bool is_idx_folder(const char *path)
{
    return exists(path, "train-images-idx3-ubyte") || exists(path, "train-images-idx3-ubyte.gz");
}

/* The table of --labels csv:FILE, which is where it says or in DATA. */
static ursa_frame *read_table(const image_job *job, const char *path)
{
    char inside[4096];
    const char *file = job->labels + strlen("csv:");
    snprintf(inside, sizeof inside, "%s/%s", path, file);
    return ursa_read_csv(!exists("", file) && exists(path, file) ? inside : file);
}

static ursa_dataloaders *open_table(const image_job *job, const char *path,
                                    const ursa_image_dataloaders_options *options)
{
    ursa_frame *frame = read_table(job, path);
    if (ursa_frame_rows(frame) == 0)
        ursa_fail(URSA_ERROR_FORMAT, "%s: the table has no rows", job->labels + strlen("csv:"));
    ursa_dataloaders *data =
        ursa_frame_rows(frame) > 0 ? ursa_image_dataloaders_from_frame_opt(frame, path, options) : NULL;
    ursa_frame_free(frame);
    return data;
}

/* The transforms of a job, or of the model the data are for. */
static bool choose_transforms(const image_job *job, bool sized, const ursa_datablock_options *like,
                              ursa_image_dataloaders_options *options)
{
    if (like) {
        memcpy(options->item_tfms, like->item_tfms, sizeof options->item_tfms);
        memcpy(options->batch_tfms, like->batch_tfms, sizeof options->batch_tfms);
        options->channels = like->blocks[0].channels;
        options->y_block = like->blocks[1];
        return true;
    }
    if (job->size != NOT_GIVEN || !sized)
        options->item_tfms[0] = ursa_resize(job->size == NOT_GIVEN ? 64 : job->size);
    return !job->augment || read_augment(job->augment, &options->batch_tfms[0]);
}

ursa_dataloaders *open_job_data(const image_job *job, const char *path, const ursa_datablock_options *like)
{
    bool table = starts_with(job->labels, "csv:"), names = starts_with(job->labels, "regex:");
    ursa_image_dataloaders_options options = {
        .image_column = job->image_column,
        .label_column = job->label_column,
        .label_delim = job->label_delim,
        .folder = job->folder,
        .suffix = job->suffix,
        .valid_pct = job->valid_pct == NOT_GIVEN ? 0 : job->valid_pct,
        .batch_size = job->batch,
        .strict = job->strict,
    };
    if (!choose_transforms(job, !table && !names && is_idx_folder(path), like, &options))
        return NULL;
    if (table)
        return open_table(job, path, &options);
    if (names)
        return ursa_image_dataloaders_from_label_opt(
            path, ursa_regex_label(job->labels + strlen("regex:"), .delim = job->label_delim), &options);
    return ursa_image_dataloaders_from_folder_opt(path, &options);
}

/* ---- the learner ------------------------------------------------------------------------ */

ursa_learner *make_job_learner(const image_job *job, ursa_dataloaders *data)
{
    const ursa_arch *arch = data ? ursa_arch_find(job->arch) : NULL;
    if (!arch)
        return NULL;
    bool multiple = ursa_dataloaders_layout(data)->y_kind == URSA_KIND_MULTI_CATEGORY;
    ursa_vision_options options = {
        .no_pretrained = !job->pretrained,
        .pretrained = job->pretrained && *job->pretrained ? job->pretrained : NULL,
        .silent = job->quiet,
    };
    if (!read_metrics(job->metrics ? job->metrics : "accuracy", multiple, options.metrics))
        return NULL;
    ursa_dtype precision;
    ursa_learner *learner = ursa_vision_learner_opt(data, arch->make, &options);
    read_precision(job->precision, &precision);
    return precision == URSA_F16 ? ursa_to_fp16(learner) : precision == URSA_BF16 ? ursa_to_bf16(learner) : learner;
}

static int64_t items_of(const ursa_dataloader *loader)
{
    return loader ? ursa_dataloader_items(loader) : 0;
}

void describe_job(const image_job *job, ursa_learner *learner)
{
    if (job->quiet || !learner)
        return;
    const ursa_dataloaders *data = ursa_learner_data(learner);
    const ursa_item_layout *layout = ursa_dataloaders_layout(data);
    printf("%lld training and %lld validation images of %lld × %lld px, %d classes", (long long)items_of(data->train),
           (long long)items_of(data->valid), (long long)layout->x_shape.dim[0], (long long)layout->x_shape.dim[1],
           ursa_dataloaders_vocab(data, NULL));
    if (data->skipped)
        printf("; %lld files skipped", (long long)data->skipped);
    printf("\n%s, %.2f M parameters, in %s on %s\n", job->arch,
           (double)ursa_parameter_count(ursa_learner_model(learner)) * 1e-6,
           precision_name(ursa_learner_precision(learner)), ursa_device_name(ursa_default_device()));
    fflush(stdout);
}
