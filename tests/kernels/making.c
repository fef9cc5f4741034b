/* making.c — trials of fill, arange, random and copy. */
#include "trial.h"
#include <math.h>

void draw_fill(struct trial *t, struct ursa_fill_args *args)
{
    static const double values[] = {0, 1, -1, 0.1, -3.7, 255, 1e5, INFINITY, NAN, 1e-3, 1000000};
    args->value = values[draw_below(t, 11)];
    ursa_dtype dtype = draw_any_type(t);
    note(t, "value %g", args->value);
    declare(t, &args->out, "out", OUTPUT, dtype, draw_shape(t, 0, 5), STRIDED);
}

void bound_fill(struct trial *t, const struct ursa_fill_args *args)
{
    (void)t, (void)args;
}

void draw_arange(struct trial *t, struct ursa_arange_args *args)
{
    /* Multiples of 1/4 of this size are exact in float at every step. */
    args->start = (double)draw_between(t, -4000, 4000) / 4;
    args->step = (double)draw_between(t, -12, 12) / 4;
    note(t, "start %g step %g", args->start, args->step);
    declare(t, &args->out, "out", OUTPUT, draw_number_type(t), draw_shape(t, 1, 1), CONTIGUOUS);
}

void bound_arange(struct trial *t, const struct ursa_arange_args *args)
{
    (void)t, (void)args;
}

void draw_random(struct trial *t, struct ursa_random_args *args)
{
    static const char *const names[] = {"uniform", "normal", "bernoulli"};
    args->kind = (ursa_random_kind)(t->number % 3);
    args->a = (double)draw_float(t, args->kind == URSA_RANDOM_BERNOULLI ? 0 : -3,
                                 args->kind == URSA_RANDOM_BERNOULLI ? 1 : 3);
    args->b = (double)draw_float(t, 0, 4);
    args->key = (uint64_t)draw_bits(t) << 32 | draw_bits(t);
    args->counter = draw_chance(t, 0.2) ? 0xFFFFFFFEu : draw_bits(t); /* over the edge of 32 bits, too */
    note(t, "%s a %.9g b %.9g key %llu counter %llu", names[args->kind], args->a, args->b,
         (unsigned long long)args->key, (unsigned long long)args->counter);
    declare(t, &args->out, "out", OUTPUT, draw_float_type(t), draw_shape(t, 1, 4), CONTIGUOUS);
}

/* Normal: r = √(-2 log(1 - u₀)) is off by the logarithm's error / 2 and the
 * square root's; the angle by two roundings, 2π u₁ · 2 U, which the sine
 * passes on as an absolute error. */
void bound_random(struct trial *t, const struct ursa_random_args *args)
{
    if (args->kind == URSA_RANDOM_BERNOULLI)
        return;
    struct operand *out = operand_named(t, "out");
    double *tolerance = tolerance_of(t, "out"), a = fabs(args->a), b = fabs(args->b);
    double libm = t->libm_is_tight ? 2 : 8, root = t->libm_is_tight ? 1 : 6;
    for (int64_t i = 0; i < out->count; i++) {
        if (args->kind == URSA_RANDOM_UNIFORM) {
            tolerance[i] = U * (a + 3 * (a + b));
            continue;
        }
        double u0 = reference64_uniform(args->key, args->counter, i / 2 * 2);
        double r = sqrt(-2 * log(1 - u0));
        tolerance[i] = U * (b * r * (libm / 2 + root + libm + 2 + 4 * M_PI) + a + fabs(out->expected[i]));
    }
}

static void draw_copied_values(struct trial *t, struct operand *x)
{
    double range = pow(10, draw_uniform(t, -2, 6));
    for (int64_t i = 0; i < x->count; i++) {
        if (x->integers && x->array.dtype != URSA_BOOL && x->array.dtype != URSA_U8)
            x->integers[i] = (int64_t)draw_uniform(t, -range, range);
        if (x->values)
            x->values[i] = draw_uniform(t, -range, range);
        if (x->values && draw_chance(t, 0.05)) {
            static const double special[] = {NAN,  INFINITY, -INFINITY, 0.0,   -0.0, 3e9,  -3e9,
                                             1e-7, 65504,    65520,     1e-40, 255,  -0.9, 1e19};
            x->values[i] = special[draw_below(t, 14)];
        }
    }
}

void draw_copy(struct trial *t, struct ursa_copy_args *args)
{
    struct shape shape = draw_shape(t, 0, 6);
    ursa_dtype from = (ursa_dtype)(t->number % URSA_DTYPE_COUNT);
    ursa_dtype to = (ursa_dtype)(t->number / URSA_DTYPE_COUNT % URSA_DTYPE_COUNT);
    draw_copied_values(t, declare(t, &args->x, "x", INPUT, from, shape, BROADCAST));
    declare(t, &args->out, "out", OUTPUT, to, shape, STRIDED);
}

void bound_copy(struct trial *t, const struct ursa_copy_args *args)
{
    (void)t, (void)args;
}
