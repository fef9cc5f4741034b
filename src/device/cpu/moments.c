/* moments.c — merges the moments of the parts of a matrix. */
#include "device/cpu/product.h"
#include "base/parallel.h"
#include "simd/norm.h"

#include <string.h>

bool ursa_moments_new(struct ursa_moments *m, int64_t rows, int64_t part_rows)
{
    int64_t parts = ursa_ceil_div(rows, part_rows), sums = parts * m->columns;
    m->rows = ursa_scratch(URSA_SLOT_MOMENTS, (size_t)parts * sizeof *m->rows + 2 * (size_t)sums * sizeof *m->mean);
    if (!m->rows)
        return false;
    m->parts = parts;
    m->mean = (float *)(m->rows + parts);
    m->squares = m->mean + sums;
    for (int64_t i = 0; i < parts; i++)
        m->rows[i] = (double)(rows - i * part_rows < part_rows ? rows - i * part_rows : part_rows);
    return true;
}

void ursa_moments_gather(const struct ursa_moments *m, int64_t part, const void *x, int64_t rows, int64_t column,
                         int64_t columns)
{
    int64_t to = part * m->columns + column;
    ursa_cpu_simd()->norm->of[m->dtype].moments(x, m->columns, rows, columns, m->mean + to, m->squares + to);
}

/* Chan, Golub, LeVeque, "Updating formulae and a pairwise algorithm for computing sample variances", 1979. */
void ursa_moments_merge(const struct ursa_moments *m, double *mean, double *squares)
{
    double all = 0;
    memset(mean, 0, (size_t)m->columns * sizeof *mean);
    memset(squares, 0, (size_t)m->columns * sizeof *squares);
    for (int64_t part = 0; part < m->parts; part++) {
        const float *of_part = m->mean + part * m->columns;
        all += m->rows[part];
        for (int64_t c = 0; c < m->columns; c++)
            mean[c] += m->rows[part] * (double)of_part[c];
    }
    for (int64_t c = 0; c < m->columns; c++)
        mean[c] /= all;
    for (int64_t part = 0; part < m->parts; part++) {
        const float *of_part = m->mean + part * m->columns, *squares_of_part = m->squares + part * m->columns;
        for (int64_t c = 0; c < m->columns; c++) {
            double away = (double)of_part[c] - mean[c];
            squares[c] += (double)squares_of_part[c] + m->rows[part] * away * away;
        }
    }
}

bool ursa_moments_finish(const struct ursa_moments *m, float *mean, float *var)
{
    double all = 0, *means = ursa_scratch(URSA_SLOT_TASK, 2 * (size_t)m->columns * sizeof *means),
           *squares = means + m->columns;
    if (!means)
        return false;
    ursa_moments_merge(m, means, squares);
    for (int64_t part = 0; part < m->parts; part++)
        all += m->rows[part];
    for (int64_t c = 0; c < m->columns; c++) {
        mean[c] = (float)means[c];
        var[c] = (float)(squares[c] / all);
    }
    return true;
}
