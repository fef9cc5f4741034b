/* images.c — from a folder with a folder of images per class to a trained
 * network, in a dozen lines.
 *
 *     images FOLDER
 */
#include <ursa/ursa.h>

int main(int argc, char **argv)
{
    ursa_image_data *data = ursa_image_data_open(argc > 1 ? argv[1] : "photos", .size = 64);
    ursa_learner *learn = ursa_vision_learner(data, ursa_small_resnet, .metrics = {ursa_accuracy});
    ursa_add_callback(learn, ursa_progress_callback());
    ursa_fit_one_cycle(learn, 5, 4e-3);
    ursa_learner_free(learn);
    ursa_image_data_free(data);
    return ursa_finish(); /* prints the first error, if any */
}
