/* finish.h — what happens to the finished sums of a tile (see gemm.h). */
#ifndef URSA_SIMD_FINISH_H
#define URSA_SIMD_FINISH_H

#include "gemm.h"
#include "slice.h"

/* `last` lanes of the last vector are in use; masked loads and stores are slow on some processors, so only where the
 * row ends within it. */
V_INLINE vf load_columns(const float *p, int vector, int vectors, int last)
{
    return vector == vectors - 1 && last < V_LANES ? vf_load_n(p, last) : vf_load(p);
}

V_INLINE void store_row(float *out, const vf *sum, const int vectors, int last)
{
    UNROLL
    for (int v = 0; v < vectors - 1; v++)
        vf_store(out + v * V_LANES, sum[v]);
    if (last == V_LANES)
        vf_store(out + (vectors - 1) * V_LANES, sum[vectors - 1]);
    else
        vf_store_n(out + (vectors - 1) * V_LANES, sum[vectors - 1], last);
}

/* Rows first … first + rows-1 of the tile. */
V_INLINE void finish_rows(const struct ursa_tile *t, int first, vf sum[][VECTORS], const int rows, const int vectors,
                          const int last)
{
    float *const *to = t->out + first;
    if (t->alpha != 1) {
        vf alpha = vf_set(t->alpha);
        UNROLL
        for (int i = 0; i < rows; i++)
            UNROLL
        for (int v = 0; v < vectors; v++)
            sum[i][v] = vf_mul(alpha, sum[i][v]);
    }
    if (t->beta != 0) {
        vf beta = vf_set(t->beta);
        UNROLL
        for (int i = 0; i < rows; i++) {
            const float *out = to[i] + t->column;
            UNROLL
            for (int v = 0; v < vectors; v++)
                sum[i][v] = vf_fma(beta, load_columns(out + v * V_LANES, v, vectors, last), sum[i][v]);
        }
    }
    if (t->bias) {
        UNROLL
        for (int v = 0; v < vectors; v++) {
            vf bias = load_columns(t->bias + v * V_LANES, v, vectors, last);
            UNROLL
            for (int i = 0; i < rows; i++)
                sum[i][v] = vf_add(sum[i][v], bias);
        }
    }
    if (t->relu) {
        UNROLL
        for (int i = 0; i < rows; i++)
            UNROLL
        for (int v = 0; v < vectors; v++)
            sum[i][v] = vf_max(vf_zero(), sum[i][v]);
    }
    UNROLL
    for (int i = 0; i < rows; i++)
        store_row(to[i] + t->column, sum[i], vectors, last);
}

#endif
