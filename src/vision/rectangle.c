/* rectangle.c — parts of pictures with a random share of their area and random
 * proportions, as fastai's RandomResizedCrop takes them. */
#include "transforms.h"

#include <math.h>

enum { ATTEMPTS = 10 };

bool ursa_crop_rules_hold(const char *name, const struct ursa_crop_rules *rules)
{
    return (rules->min_scale >= 0 && rules->min_scale <= 1 && rules->least_ratio > 0 &&
            rules->most_ratio >= rules->least_ratio) ||
           ursa_fail(URSA_ERROR_ARGUMENT, "%s: min_scale is %g and ratio %g … %g; expected 0 to 1, and two that rise",
                     name, rules->min_scale, rules->least_ratio, rules->most_ratio);
}

struct ursa_rectangle ursa_middle_rectangle(const struct ursa_crop_rules *rules, int rows, int columns)
{
    struct ursa_rectangle out = {.rows = rows, .columns = columns};
    double ratio = (double)columns / rows;
    if (ratio < rules->least_ratio)
        out.rows = (int)fmax(columns / rules->least_ratio, 1);
    else if (ratio > rules->most_ratio)
        out.columns = (int)fmax(rows * rules->most_ratio, 1);
    out.left = (columns - out.columns) / 2;
    out.top = (rows - out.rows) / 2;
    return out;
}

struct ursa_rectangle ursa_random_rectangle(const struct ursa_crop_rules *rules, int rows, int columns, ursa_rng *rng)
{
    double area = (double)rows * columns, low = log(rules->least_ratio), high = log(rules->most_ratio);
    for (int i = 0; i < ATTEMPTS; i++) {
        double part = area * (rules->min_scale + (1 - rules->min_scale) * ursa_rng_uniform(rng));
        double ratio = exp(low + (high - low) * ursa_rng_uniform(rng));
        struct ursa_rectangle out = {.rows = (int)rint(sqrt(part / ratio)), .columns = (int)rint(sqrt(part * ratio))};
        if (out.columns < 1 || out.rows < 1 || out.columns > columns || out.rows > rows)
            continue;
        out.left = (int)ursa_rng_below(rng, (uint64_t)(columns - out.columns) + 1);
        out.top = (int)ursa_rng_below(rng, (uint64_t)(rows - out.rows) + 1);
        return out;
    }
    return ursa_middle_rectangle(rules, rows, columns);
}
