/* arch.c — the registry of architectures. */
#include <ursa/vision.h>

#include <stdio.h>
#include <string.h>

static const ursa_arch archs[] = {
    {"small-resnet", "residual network of widths 16-32-64-128, for images up to 64 px", ursa_small_resnet},
    {"resnet18", "ResNet-18 (He et al. 2016)", ursa_resnet18, 8, 512, "layer3", "resnet18"},
    {"resnet34", "ResNet-34", ursa_resnet34, 8, 512, "layer3", "resnet34"},
    {"resnet50", "ResNet-50", ursa_resnet50, 8, 2048, "layer3", "resnet50"},
    {"resnet101", "ResNet-101", ursa_resnet101, 8, 2048, "layer3", "resnet101"},
    {"resnet152", "ResNet-152", ursa_resnet152, 8, 2048, "layer3", "resnet152"},
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
