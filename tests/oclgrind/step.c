/* step.c — a training step of ResNet-18 for a device that interprets: images of
 * 32 px, two of them. All layers and operators of the network, with as few channels as the time allows.
 *
 *     step [WIDTH [f32 | f16 | bf16]]
 *
 * WIDTH is the number of channels of the stem, in the paper 64.
 */
#include "tensor/tensor.h"
#include "vision/nets.h"
#include <ursa/optim.h>

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { SIZE = 32, BATCH = 2, CLASSES = 10, REDUCED = 4 };

static ursa_module *draw_network(int width)
{
    ursa_device *device = ursa_default_device();
    ursa_set_default_device(ursa_device_open("cpu"));
    ursa_module *network = ursa_net_resnet18(width, 3, CLASSES);
    ursa_set_default_device(device);
    return network;
}

/* Drawing weights takes an interpreter longer than the step, so the processor draws them, and
 * they change places with their copies. */
static bool move_network(ursa_module *network)
{
    const ursa_parameter *list;
    int count = ursa_parameters(network, &list);
    for (int i = 0; i < count; i++) {
        ursa_tensor *copy = ursa_to_device(list[i].tensor, ursa_default_device());
        if (!copy)
            return false;
        ursa_array drawn = list[i].tensor->array;
        list[i].tensor->array = copy->array;
        copy->array = drawn;
    }
    return count > 0;
}

static double run_step(ursa_module *network, ursa_optimizer *optimizer, ursa_dtype dtype)
{
    static float pixels[BATCH * SIZE * SIZE * 3];
    static const int64_t classes[BATCH] = {3, 7};
    for (size_t i = 0; i < sizeof pixels / sizeof *pixels; i++)
        pixels[i] = sinf((float)i);
    ursa_tensor *x = ursa_cast(ursa_from(pixels, ursa_shape(BATCH, SIZE, SIZE, 3)), dtype);
    ursa_tensor *y = ursa_from(classes, ursa_shape(BATCH), .dtype = URSA_I64);
    ursa_tensor *loss = ursa_cross_entropy(ursa_cast(ursa_forward(network, x), URSA_F32), y);
    return ursa_backward(loss) && ursa_optimizer_step(optimizer) ? ursa_item(loss) : NAN;
}

int main(int argc, char **argv)
{
    int width = argc > 1 ? atoi(argv[1]) : REDUCED;
    const char *type = argc > 2 ? argv[2] : "f32";
    ursa_dtype dtype = !strcmp(type, "bf16") ? URSA_BF16 : !strcmp(type, "f16") ? URSA_F16 : URSA_F32;
    ursa_module *network = width > 0 ? draw_network(width) : NULL;
    ursa_optimizer *optimizer = NULL;
    double loss = NAN;
    if (network && move_network(network) && (optimizer = ursa_adamw(network)))
        loss = run_step(network, optimizer, dtype);
    printf("%s: %lld weights, loss %.6f\n", ursa_device_name(ursa_default_device()),
           (long long)(network ? ursa_parameter_count(network) : 0), loss);
    ursa_optimizer_free(optimizer);
    ursa_module_free(network);
    int status = ursa_finish();
    return isfinite(loss) ? status : 1;
}
