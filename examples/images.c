/* images.c — from a folder with a folder of images per class to a trained
 * network, in half a dozen lines.
 *
 *     images FOLDER
 */
#include <ursa/ursa.h>

int main(int argc, char **argv)
{
    ursa_dataloaders *data =
        ursa_image_dataloaders_from_folder(argc > 1 ? argv[1] : "photos", .item_tfms = {ursa_resize(64)});
    ursa_learner *learn = ursa_vision_learner(data, ursa_small_resnet, .metrics = {ursa_accuracy});
    ursa_fit_one_cycle(learn, 5, 4e-3);
    return ursa_finish(); /* prints the first error, if any; frees what is left */
}
