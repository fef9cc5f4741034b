/* arch.c — the registry of architectures. */
#include <ursa/vision.h>

#include <stdio.h>
#include <string.h>

/* Cuts and splits as fastai's model_meta; of networks it does not know, the body
 * is one group. */
static const ursa_arch archs[] = {
    {"small-cnn", "three convolutions of widths 32-64-128, for images up to 64 px", ursa_small_cnn, 222472, 3, 128},
    {"small-resnet", "residual network of widths 16-32-64-128, for images up to 64 px", ursa_small_resnet, 431864},
    {"resnet18", "ResNet-18 (He et al. 2016)", ursa_resnet18, 11689512, 8, 512, "layer3", "resnet18"},
    {"resnet34", "ResNet-34", ursa_resnet34, 21797672, 8, 512, "layer3", "resnet34"},
    {"resnet50", "ResNet-50", ursa_resnet50, 25557032, 8, 2048, "layer3", "resnet50"},
    {"resnet101", "ResNet-101", ursa_resnet101, 44549160, 8, 2048, "layer3", "resnet101"},
    {"resnet152", "ResNet-152", ursa_resnet152, 60192808, 8, 2048, "layer3", "resnet152"},
    {"xresnet18", "ResNet-18 with a bag of tricks (He et al. 2019)", ursa_xresnet18, 11708744, 8, 512, "3"},
    {"xresnet34", "ResNet-34 with a bag of tricks", ursa_xresnet34, 21816904, 8, 512, "3"},
    {"xresnet50", "ResNet-50 with a bag of tricks", ursa_xresnet50, 25576264, 8, 2048, "3", "xresnet50"},
    {"vgg11_bn", "VGG-11 with batch norm (Simonyan, Zisserman 2015)", ursa_vgg11_bn, 132868840, 29, 512, "features.22",
     "vgg11_bn"},
    {"vgg13_bn", "VGG-13 with batch norm", ursa_vgg13_bn, 133053736, 35, 512, "features.22", "vgg13_bn"},
    {"vgg16_bn", "VGG-16 with batch norm", ursa_vgg16_bn, 138365992, 44, 512, "features.22", "vgg16_bn"},
    {"vgg19_bn", "VGG-19 with batch norm", ursa_vgg19_bn, 143678248, 53, 512, "features.22", "vgg19_bn"},
    {"squeezenet1_0", "SqueezeNet 1.0 (Iandola et al. 2016)", ursa_squeezenet1_0, 1248424, 13, 512, "features.5",
     "squeezenet1_0"},
    {"squeezenet1_1", "SqueezeNet 1.1: as good, 2.4 times less work", ursa_squeezenet1_1, 1235496, 13, 512,
     "features.5", "squeezenet1_1"},
    {"densenet121", "DenseNet-121 (Huang et al. 2017)", ursa_densenet121, 7978856, 12, 1024, "features.transition2",
     "densenet121"},
    {"mobilenet_v2", "MobileNet v2 (Sandler et al. 2018)", ursa_mobilenet_v2, 3504872, 19, 1280, NULL, "mobilenet_v2"},
    {"efficientnet_lite0", "EfficientNet-Lite0 (Tan, Le 2019)", ursa_efficientnet_lite0, 4652008, 23, 1280, NULL,
     "efficientnet_lite0"},
};
enum { ARCHS = sizeof archs / sizeof *archs };

int ursa_arch_count(void)
{
    return ARCHS;
}

const ursa_arch *ursa_arch_at(int index)
{
    return index >= 0 && index < ARCHS ? &archs[index] : NULL;
}

const ursa_arch *ursa_arch_find(const char *name)
{
    if (!name)
        return NULL;
    char list[512] = "";
    for (int i = 0; i < ARCHS; i++) {
        if (strcmp(archs[i].name, name) == 0)
            return &archs[i];
        size_t used = strlen(list);
        snprintf(list + used, sizeof list - used, "%s%s", i ? ", " : "", archs[i].name);
    }
    ursa_fail(URSA_ERROR_ARGUMENT, "arch: there is no \"%s\"; there are %s", name, list);
    return NULL;
}

const ursa_arch *ursa_arch_of(ursa_arch_maker *make)
{
    for (int i = 0; make && i < ARCHS; i++)
        if (archs[i].make == make)
            return &archs[i];
    if (make)
        ursa_fail(URSA_ERROR_ARGUMENT, "arch: the maker is none of the registry's, which ursa_arch_at() lists");
    return NULL;
}
