/* vision.h — networks for images, and learners of them. image.h reads and
 * transforms images, vision_data.h makes loaders of them.
 */
#ifndef URSA_VISION_H
#define URSA_VISION_H

#include <ursa/image.h>
#include <ursa/learner.h>
#include <ursa/vision_data.h>

#ifdef __cplusplus
extern "C" {
#endif

/* ---- networks ------------------------------------------------------------------------ */

/* A maker of networks: images [N, H, W, channels] → [N, classes]. 0 classes: the
 * body alone, as ursa_arch says where it ends. */
typedef ursa_module *ursa_arch_maker(int channels, int classes);

/* One line of the registry of architectures. Every network is a sequential
 * whose children and parameters have torchvision's names (fastai's for
 * xResNets); some of them have dots: "features.3". */
typedef struct ursa_arch {
    const char *name, *text;
    ursa_arch_maker *make;
    int64_t parameters;  /* numbers in them all, for 3 channels and 1000 classes */
    int cut;             /* leading children that are the body; 0: too small to be cut, used whole */
    int features;        /* channels that the body ends in */
    const char *split;   /* the body's child at which the second group of parameters begins, as fastai's
                            model_meta has it; NULL: the body is one group */
    const char *weights; /* its pretrained weights, of ursa_weights_find(); NULL: none are known */
} ursa_arch;
URSA_API int ursa_arch_count(void);
URSA_API const ursa_arch *ursa_arch_at(int index);
/* An unknown name is an error that lists them all. */
URSA_API const ursa_arch *ursa_arch_find(const char *name);
/* The line of a maker; one that is not in the registry is an error. */
URSA_API const ursa_arch *ursa_arch_of(ursa_arch_maker *make);

/* Three blocks of convolution, batch norm, ReLU and pooling, widths 32-64-128: 0.1
 * million parameters, for images of 8 to 64 px. */
URSA_API ursa_arch_maker ursa_small_cnn;
/* Stem and three stages of one residual block, widths 16-32-64-128: 0.3 million
 * parameters, for images up to 64 px. */
URSA_API ursa_arch_maker ursa_small_resnet;
/* He et al. 2016. */
URSA_API ursa_arch_maker ursa_resnet18, ursa_resnet34, ursa_resnet50, ursa_resnet101, ursa_resnet152;
/* He et al. 2019, "Bag of tricks", as fastai has them. */
URSA_API ursa_arch_maker ursa_xresnet18, ursa_xresnet34, ursa_xresnet50;
/* Simonyan and Zisserman 2015, with batch norm. */
URSA_API ursa_arch_maker ursa_vgg11_bn, ursa_vgg13_bn, ursa_vgg16_bn, ursa_vgg19_bn;
/* Iandola et al. 2016. At least 21 px a side (1.1: 17). */
URSA_API ursa_arch_maker ursa_squeezenet1_0, ursa_squeezenet1_1;
/* Huang et al. 2017. */
URSA_API ursa_arch_maker ursa_densenet121;
/* Sandler et al. 2018. */
URSA_API ursa_arch_maker ursa_mobilenet_v2;
/* EfficientNet-B0 (Tan and Le 2019) without squeeze-and-excitation and with ReLU6;
 * names of parameters as in the Python package efficientnet_lite_pytorch. */
URSA_API ursa_arch_maker ursa_efficientnet_lite0;

/* ---- pretrained weights ------------------------------------------------------------- *
 *
 * Files that others made, found by name. They lie in $URSA_HOME/weights, where
 * URSA_HOME is ~/.ursa, or where torch.hub keeps them. */
typedef struct ursa_weights {
    const char *name, *arch; /* arch: of ursa_arch_find() */
    const char *file;        /* "resnet18-f37072fd.pth" */
    const char *base;        /* address of its folder, ends with a slash; NULL: the file has none of its own */
    const char *sha256;      /* in hexadecimal: all of it, or as much as the file's name says; NULL: not known */
    int64_t bytes;           /* about */
    ursa_image_stats stats;  /* what images were normalised with */
    const char *text;        /* how they were made, or where they are */
} ursa_weights;
URSA_API int ursa_weights_count(void);
URSA_API const ursa_weights *ursa_weights_at(int index);
/* An unknown name is an error that lists them all. */
URSA_API const ursa_weights *ursa_weights_find(const char *name);
/* Where the file is; NULL, without an error, when it is not there; to free(). */
URSA_API char *ursa_weights_path(const ursa_weights *weights);
/* Downloads the file to $URSA_HOME/weights unless it is there, and returns its path,
 * to free(). `base` is the address of another folder that has it (NULL: the
 * variable URSA_WEIGHTS_URL, or its own). NULL after an error. */
URSA_API char *ursa_weights_get(const ursa_weights *weights, const char *base);

/* Opens pretrained weights for a network: those of `file` or, where it is NULL,
 * those of the registry. When these are not there, a warning is logged that says
 * how to get them and what happens without, and NULL comes back without an error. */
URSA_API ursa_checkpoint *ursa_pretrained(const ursa_arch *arch, const char *file);

/* The 1000 classes of ImageNet, in the order of pretrained networks. */
URSA_API const char *const *ursa_imagenet_classes(void);

/* ---- networks for transfer ------------------------------------------------------------ */

/* The head fastai puts on a body: pooling to one position, then per layer
 * batch norm, dropout, linear (without a bias, since the next batch norm has
 * one), ReLU between them. Weights start as Kaiming normal. */
typedef struct ursa_head_options {
    double dropout;      /* before the last layer, and half of it before the others; default 0.5, below 0: none */
    int hidden[4];       /* features of the hidden layers; default one of 512, { -1 }: none */
    bool no_concat_pool; /* average pooling alone, instead of maximum and average side by side */
    bool no_first_norm;
    bool final_norm;   /* batch norm of the outputs */
    double y_range[2]; /* outputs are squeezed between these by a sigmoid; both 0: they are not */
} ursa_head_options;
URSA_API ursa_module *ursa_create_head_opt(int features, int classes, const ursa_head_options *options);
#define ursa_create_head(features, classes, ...)                                                                       \
    ursa_create_head_opt(features, classes, &(ursa_head_options){__VA_ARGS__})

/* The body of an architecture: its leading children. Weights of `pretrained`
 * (NULL: none) must fit it; where the images have other channels than its 3,
 * the first convolution gets their sum (1), the first two times 1.5 (2), or
 * these and zeros (more), as in fastai. An error for one that is not cut. */
URSA_API ursa_module *ursa_arch_body(const ursa_arch *arch, int channels, const ursa_checkpoint *pretrained);

/* Weights into a whole network of arch->make(): those of the body must fit; the
 * layers behind it stay as they are, which is logged, unless all of them fit
 * too (a file for other classes has another last layer). */
URSA_API bool ursa_arch_load(const ursa_arch *arch, ursa_module *network, const ursa_checkpoint *file);

typedef struct ursa_vision_model_options {
    const ursa_checkpoint *pretrained; /* NULL: random weights */
    ursa_head_options head;
} ursa_vision_model_options;
/* A network to train on images: the sequential of "body" and "head", or for
 * architectures that are not cut the network as its maker makes it. */
URSA_API ursa_module *ursa_vision_model_opt(const ursa_arch *arch, int channels, int classes,
                                            const ursa_vision_model_options *options);
#define ursa_vision_model(arch, channels, classes, ...)                                                                \
    ursa_vision_model_opt(arch, channels, classes, &(ursa_vision_model_options){__VA_ARGS__})

/* ---- learners ------------------------------------------------------------------------- */

typedef struct ursa_vision_options {
    ursa_metric metrics[URSA_METRICS]; /* up to the first without a name */
    ursa_loss loss;                    /* default: as the targets are, see ursa_loss_for() */
    ursa_optimizer_kind optimizer;     /* these four as in ursa_learner_options */
    bool optimizer_set;
    ursa_optimizer_options hyper;
    double lr;
    const char *pretrained; /* a file of weights: torchvision's, safetensors, or a model of ours. Default: the
                               architecture's own, where they are known and have been got; a warning says how to get
                               them where they have not, and the weights are random then */
    bool no_pretrained;     /* random weights */
    bool silent;            /* without ursa_progress_callback(), which it has otherwise */
    ursa_head_options head;
} ursa_vision_options;

/* A learner of a network for the data, which must outlive it, made for their
 * channels and targets: the body of the architecture with a new head, in groups
 * "body", its second half, and "head"; architectures that are not cut as they are.
 * With pretrained weights the body is frozen at first, as in fastai. Where the
 * data's batch transforms do not normalise, a normalisation is added: ImageNet's
 * for pretrained weights, else the statistics of the training images. */
URSA_API ursa_learner *ursa_vision_learner_opt(ursa_dataloaders *data, ursa_arch_maker *arch,
                                               const ursa_vision_options *options);
#define ursa_vision_learner(data, arch, ...) ursa_vision_learner_opt(data, arch, &(ursa_vision_options){__VA_ARGS__})

#ifdef __cplusplus
}
#endif
#endif
