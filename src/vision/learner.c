/* learner.c — learners of networks for images. */
#include <ursa/vision.h>

ursa_learner *ursa_vision_learner_opt(ursa_image_data *data, ursa_arch_maker *arch, const ursa_learner_options *options)
{
    if (!data)
        return NULL;
    ursa_learner_options filled = *options;
    if (!filled.prepare) {
        filled.prepare = ursa_normalize_images;
        filled.prepare_context = &data->stats;
    }
    return ursa_learner_new_opt(&data->loaders, arch(data->channels, data->class_count), &filled);
}
