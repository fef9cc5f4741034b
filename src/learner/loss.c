/* loss.c — losses as values: their number, and what they make of outputs. */
#include <ursa/loss.h>

#include <string.h>

static bool same_shape(const ursa_tensor *a, const ursa_tensor *b)
{
    ursa_dims x = ursa_dims_of(a), y = ursa_dims_of(b);
    return x.ndim == y.ndim && memcmp(x.dim, y.dim, (size_t)x.ndim * sizeof *x.dim) == 0;
}

/* Numbers of items in rows, so that [N] and [N, 1] go together. */
static bool as_rows(ursa_tensor **prediction, ursa_tensor **target)
{
    if (!*prediction || !*target || same_shape(*prediction, *target))
        return *prediction && *target;
    *prediction = ursa_reshape(*prediction, ursa_shape(ursa_dim(*prediction, 0), -1));
    *target = ursa_reshape(*target, ursa_shape(ursa_dim(*target, 0), -1));
    return *prediction && *target;
}

/* ---- the values ---------------------------------------------------------------- */

static ursa_loss_options options_of(const ursa_loss *loss, ursa_reduction reduction)
{
    ursa_loss_options options = loss->options;
    options.reduction = reduction;
    return options;
}

static ursa_tensor *cross_entropy(const ursa_loss *loss, ursa_tensor *prediction, ursa_tensor *target,
                                  ursa_reduction reduction)
{
    ursa_loss_options options = options_of(loss, reduction);
    return ursa_cross_entropy_opt(prediction, target, &options);
}

static ursa_tensor *reduce(ursa_tensor *each, ursa_reduction reduction)
{
    return reduction == URSA_EACH  ? each
           : reduction == URSA_SUM ? ursa_sum(each, ursa_axes(), false)
                                   : ursa_mean(each, ursa_axes(), false);
}

static ursa_tensor *focal(const ursa_loss *loss, ursa_tensor *prediction, ursa_tensor *target, ursa_reduction reduction)
{
    double gamma = loss->options.gamma > 0 ? loss->options.gamma : 2;
    ursa_tensor *entropy = cross_entropy(loss, prediction, target, URSA_EACH);
    ursa_tensor *wrong = ursa_add_scalar(ursa_neg(ursa_exp(ursa_neg(entropy))), 1);
    return reduce(ursa_mul(ursa_pow_scalar(wrong, gamma), entropy), reduction);
}

static ursa_tensor *bce(const ursa_loss *loss, ursa_tensor *prediction, ursa_tensor *target, ursa_reduction reduction)
{
    ursa_loss_options options = options_of(loss, reduction);
    return as_rows(&prediction, &target) ? ursa_bce_logits_opt(prediction, target, &options) : NULL;
}

static ursa_tensor *mse(const ursa_loss *loss, ursa_tensor *prediction, ursa_tensor *target, ursa_reduction reduction)
{
    ursa_loss_options options = options_of(loss, reduction);
    return as_rows(&prediction, &target) ? ursa_mse_opt(prediction, target, &options) : NULL;
}

static ursa_tensor *l1(const ursa_loss *loss, ursa_tensor *prediction, ursa_tensor *target, ursa_reduction reduction)
{
    ursa_loss_options options = options_of(loss, reduction);
    return as_rows(&prediction, &target) ? ursa_l1_opt(prediction, target, &options) : NULL;
}

/* A user's function gives a mean; that of one item at a time is each item's loss. */
static ursa_tensor *user(const ursa_loss *loss, ursa_tensor *prediction, ursa_tensor *target, ursa_reduction reduction)
{
    int64_t count = ursa_dim(prediction, 0);
    if (reduction == URSA_MEAN)
        return loss->function(prediction, target);
    if (reduction == URSA_SUM)
        return ursa_mul_scalar(loss->function(prediction, target), (double)count);
    ursa_tensor *each = NULL;
    for (int64_t i = 0; prediction && target && i < count; i++) {
        ursa_tensor *one = ursa_reshape(
            loss->function(ursa_slice(prediction, 0, i, i + 1, 1), ursa_slice(target, 0, i, i + 1, 1)), ursa_shape(1));
        each = each ? ursa_concat((ursa_tensor *[]){each, one}, 2, 0) : one;
    }
    return each;
}

/* ---- activations and decisions --------------------------------------------------- */

static ursa_tensor *softmax(const ursa_loss *loss, ursa_tensor *prediction)
{
    (void)loss;
    return ursa_softmax(prediction, -1);
}

static ursa_tensor *sigmoid(const ursa_loss *loss, ursa_tensor *prediction)
{
    (void)loss;
    return ursa_sigmoid(prediction);
}

static ursa_tensor *likeliest(const ursa_loss *loss, ursa_tensor *prediction)
{
    (void)loss;
    return ursa_argmax(prediction, -1, false);
}

static ursa_tensor *above(const ursa_loss *loss, ursa_tensor *prediction)
{
    return prediction ? ursa_cast(ursa_gt(prediction, ursa_scalar_like(prediction, loss->thresh)), URSA_F32) : NULL;
}

/* ---- the classes ------------------------------------------------------------------ */

static const ursa_loss_class cross_entropy_class = {"cross_entropy", cross_entropy, softmax, likeliest, true};
static const ursa_loss_class focal_class = {"focal", focal, softmax, likeliest, true};
static const ursa_loss_class bce_class = {"bce", bce, sigmoid, above, false};
static const ursa_loss_class mse_class = {"mse", mse, NULL, NULL, false};
static const ursa_loss_class l1_class = {"l1", l1, NULL, NULL, false};
static const ursa_loss_class user_class = {"user", user, NULL, NULL, false};

static const ursa_loss_class *const named[] = {&cross_entropy_class, &focal_class, &bce_class, &mse_class, &l1_class};
enum { NAMED = sizeof named / sizeof *named };

ursa_loss ursa_cross_entropy_loss_opt(const ursa_loss_options *options)
{
    return (ursa_loss){.class = &cross_entropy_class, .options = *options};
}

ursa_loss ursa_focal_loss_opt(const ursa_loss_options *options)
{
    return (ursa_loss){.class = &focal_class, .options = *options};
}

ursa_loss ursa_bce_loss_opt(double thresh, const ursa_loss_options *options)
{
    return (ursa_loss){.class = &bce_class, .options = *options, .thresh = thresh > 0 ? thresh : 0.5};
}

ursa_loss ursa_mse_loss(void)
{
    return (ursa_loss){.class = &mse_class};
}

ursa_loss ursa_l1_loss(void)
{
    return (ursa_loss){.class = &l1_class};
}

ursa_loss ursa_loss_of(ursa_tensor *(*function)(ursa_tensor *prediction, ursa_tensor *target))
{
    return (ursa_loss){.class = &user_class, .function = function};
}

ursa_loss ursa_loss_for(ursa_kind kind, ursa_dtype dtype)
{
    switch (kind) {
    case URSA_KIND_CATEGORY:
    case URSA_KIND_MASK:
        return ursa_cross_entropy_loss();
    case URSA_KIND_MULTI_CATEGORY:
        return ursa_bce_loss(0);
    case URSA_KIND_POINTS:
    case URSA_KIND_REGRESSION:
        return ursa_mse_loss();
    default:
        return ursa_dtype_is_float(dtype) ? ursa_mse_loss() : ursa_cross_entropy_loss();
    }
}

bool ursa_loss_by_name(const char *name, double thresh, ursa_loss *out)
{
    for (int i = 0; name && i < NAMED; i++) {
        if (strcmp(named[i]->name, name) != 0)
            continue;
        *out = (ursa_loss){.class = named[i], .thresh = thresh > 0 ? thresh : 0.5};
        return true;
    }
    return ursa_fail(URSA_ERROR_ARGUMENT, "loss: there is no \"%s\"; there are cross_entropy, focal, bce, mse and l1",
                     name ? name : "");
}

/* ---- using one ------------------------------------------------------------------------ */

ursa_tensor *ursa_loss_value(const ursa_loss *loss, ursa_tensor *prediction, ursa_tensor *target,
                             ursa_reduction reduction)
{
    return loss && prediction && target ? loss->class->value(loss, prediction, target, reduction) : NULL;
}

ursa_tensor *ursa_loss_activation(const ursa_loss *loss, ursa_tensor *prediction)
{
    return loss && prediction && loss->class->activation ? loss->class->activation(loss, prediction) : prediction;
}

ursa_tensor *ursa_loss_decode(const ursa_loss *loss, ursa_tensor *prediction)
{
    return loss && prediction && loss->class->decode ? loss->class->decode(loss, prediction) : prediction;
}
