/* mma.cl — one instruction by which a subgroup of MMA_LANES work items multiplies matrices of
 * halves: sums[M, N] += A[M, K] B[K, N], M and N being 8 or 16. -DMMA says which:
 *
 *     MMA_M16N8K16   NVIDIA since sm_80: mma.sync.m16n8k16 ("Parallel Thread Execution ISA", 9.7.14)
 *     MMA_M16N8K8    NVIDIA since sm_75: mma.sync.m16n8k8, f16 only
 *     MMA_WMMA       AMD's gfx11, wavefronts of 32: V_WMMA_F32_16X16X16 ("RDNA3 Instruction Set
 *                    Architecture", 7.9)
 *     MMA_MFMA       AMD's gfx908, gfx90a, gfx94x, wavefronts of 64: V_MFMA_F32_16X16X16 ("CDNA2
 *                    Instruction Set Architecture", 7)
 *     MMA_DPAS       Intel, subgroups of 8: cl_intel_subgroup_matrix_multiply_accumulate
 *
 * A lane holds A_WORDS × 2 halves of A, B_WORDS × 2 of B and SUMS sums. Which they are is said twice, so
 * that each can be held against the other: by what matrix_tile.cl reads for a lane, and by the functions
 * below that tell where an element is. With -DMMA_TWIN they are all there is: the lanes show each other in
 * local memory what they hold, and multiply as plain floats what the instruction would have
 * found in their registers. So kernels with matrix instructions run on every device, but for the
 * instruction itself.
 *
 * The halves are f16 or bf16, as FACTOR says.
 */
#define MMA_M16N8K16 1
#define MMA_M16N8K8  2
#define MMA_WMMA     3
#define MMA_MFMA     4
#define MMA_DPAS     5

#if MMA == MMA_M16N8K16 || MMA == MMA_M16N8K8
#define MMA_LANES      32
#define MMA_K          (MMA == MMA_M16N8K16 ? 16 : 8)
#define A_WORDS        (MMA_K / 4)
#define B_WORDS        (MMA_K / 8)
#define SUMS           4
#define a_lane(m, k)   ((m) % 8 * 4 + (k) % 8 / 2)
#define a_half(m, k)   ((k) / 8 * 4 + (m) / 8 * 2 + (k) % 2)
#define b_lane(k, n)   ((n)*4 + (k) % 8 / 2)
#define b_half(k, n)   ((k) / 8 * 2 + (k) % 2)
#define sum_m(lane, i) ((lane) / 4 + (i) / 2 * 8)
#define sum_n(lane, i) ((lane) % 4 * 2 + (i) % 2)

#elif MMA == MMA_WMMA /* lanes 16 … 31 hold A and B once more */
#define MMA_LANES      32
#define MMA_K          16
#define A_WORDS        8
#define B_WORDS        8
#define SUMS           8
#define a_lane(m, k)   ((m) + (k) % 2 * 16)
#define a_half(m, k)   (k)
#define b_lane(k, n)   ((n) + (k) % 2 * 16)
#define b_half(k, n)   (k)
#define sum_m(lane, i) ((i)*2 + (lane) / 16)
#define sum_n(lane, i) ((lane) % 16)

#elif MMA == MMA_MFMA
#define MMA_LANES      64
#define MMA_K          16
#define A_WORDS        2
#define B_WORDS        2
#define SUMS           4
#define a_lane(m, k)   ((m) + (k) / 4 * 16)
#define a_half(m, k)   ((k) % 4)
#define b_lane(k, n)   ((n) + (k) / 4 * 16)
#define b_half(k, n)   ((k) % 4)
#define sum_m(lane, i) ((lane) / 16 * 4 + (i))
#define sum_n(lane, i) ((lane) % 16)

#elif MMA == MMA_DPAS
#define MMA_LANES      8
#define MMA_K          16
#define A_WORDS        8
#define B_WORDS        8
#define SUMS           8
#define a_lane(m, k)   ((k) / 2)
#define a_half(m, k)   ((m)*2 + (k) % 2)
#define b_lane(k, n)   (n)
#define b_half(k, n)   (k)
#define sum_m(lane, i) (i)
#define sum_n(lane, i) (lane)
#endif

/* ---- the subgroup -------------------------------------------------------------- */

#if MMA == MMA_DPAS && !defined(MMA_TWIN)
#pragma OPENCL EXTENSION cl_intel_subgroups : enable
#define SUBGROUP_OF_LANES __attribute__((intel_reqd_sub_group_size(MMA_LANES)))
#define lane_of(item)     ((int)get_sub_group_local_id())
#define subgroup_of(item) ((int)get_sub_group_id())
#else /* neighbours along axis 0 of a group */
#define SUBGROUP_OF_LANES
#define lane_of(item)     ((item) % MMA_LANES)
#define subgroup_of(item) ((item) / MMA_LANES)
#endif

/* ---- the instruction, or its twin ----------------------------------------------- */

#ifdef MMA_TWIN
/* `all_a` and `all_b` have room for what all items of the group hold. */
#define EXCHANGE_ARGUMENTS , int item, local uint *all_a, local uint *all_b
#define EXCHANGE_PASS      , item, all_a, all_b

static inline void mma(float *sum, const uint *a, const uint *b EXCHANGE_ARGUMENTS)
{
    int lane = item % MMA_LANES, first = item - lane;
    for (int w = 0; w < A_WORDS; w++)
        all_a[item * A_WORDS + w] = a[w];
    for (int w = 0; w < B_WORDS; w++)
        all_b[item * B_WORDS + w] = b[w];
    barrier(CLK_LOCAL_MEM_FENCE);
    local const ushort *a_halves = (local const ushort *)(all_a + first * A_WORDS);
    local const ushort *b_halves = (local const ushort *)(all_b + first * B_WORDS);
#pragma unroll 1
    for (int i = 0; i < SUMS; i++) {
        int m = sum_m(lane, i), n = sum_n(lane, i);
#pragma unroll 1
        for (int k = 0; k < MMA_K; k++) {
            float left = float_of(a_halves[a_lane(m, k) * A_WORDS * 2 + a_half(m, k)], FACTOR);
            sum[i] += left * float_of(b_halves[b_lane(k, n) * B_WORDS * 2 + b_half(k, n)], FACTOR);
        }
    }
    barrier(CLK_LOCAL_MEM_FENCE);
}

#else
#define EXCHANGE_ARGUMENTS
#define EXCHANGE_PASS

static inline void mma(float *sum, const uint *a, const uint *b)
{
#if MMA == MMA_M16N8K16 && FACTOR == TYPE_F16
    __asm__ volatile("mma.sync.aligned.m16n8k16.row.col.f32.f16.f16.f32 {%0,%1,%2,%3}, {%4,%5,%6,%7}, {%8,%9}, "
                     "{%0,%1,%2,%3};"
                     : "+f"(sum[0]), "+f"(sum[1]), "+f"(sum[2]), "+f"(sum[3])
                     : "r"(a[0]), "r"(a[1]), "r"(a[2]), "r"(a[3]), "r"(b[0]), "r"(b[1]));
#elif MMA == MMA_M16N8K16
    __asm__ volatile("mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 {%0,%1,%2,%3}, {%4,%5,%6,%7}, {%8,%9}, "
                     "{%0,%1,%2,%3};"
                     : "+f"(sum[0]), "+f"(sum[1]), "+f"(sum[2]), "+f"(sum[3])
                     : "r"(a[0]), "r"(a[1]), "r"(a[2]), "r"(a[3]), "r"(b[0]), "r"(b[1]));
#elif MMA == MMA_M16N8K8
    __asm__ volatile("mma.sync.aligned.m16n8k8.row.col.f32.f16.f16.f32 {%0,%1,%2,%3}, {%4,%5}, {%6}, {%0,%1,%2,%3};"
                     : "+f"(sum[0]), "+f"(sum[1]), "+f"(sum[2]), "+f"(sum[3])
                     : "r"(a[0]), "r"(a[1]), "r"(b[0]));
#else
#if MMA == MMA_MFMA
    float4 s = (float4)(sum[0], sum[1], sum[2], sum[3]);
    uint2 left = vload2(0, a), right = vload2(0, b);
#else
    float8 s = vload8(0, sum);
    uint8 left = vload8(0, a), right = vload8(0, b);
#endif
#pragma OPENCL EXTENSION cl_khr_fp16 : enable
#if MMA == MMA_WMMA && FACTOR == TYPE_F16
    s = __builtin_amdgcn_wmma_f32_16x16x16_f16_w32(as_half16(left), as_half16(right), s);
#elif MMA == MMA_WMMA
    s = __builtin_amdgcn_wmma_f32_16x16x16_bf16_w32(as_short16(left), as_short16(right), s);
#elif MMA == MMA_MFMA && FACTOR == TYPE_F16
    s = __builtin_amdgcn_mfma_f32_16x16x16f16(as_half4(left), as_half4(right), s, 0, 0, 0);
#elif MMA == MMA_MFMA
    s = __builtin_amdgcn_mfma_f32_16x16x16bf16_1k(as_short4(left), as_short4(right), s, 0, 0, 0);
#elif MMA == MMA_DPAS && FACTOR == TYPE_F16
    s = intel_sub_group_f16_f16_matrix_mad_k16(as_int8(left), as_int8(right), s);
#elif MMA == MMA_DPAS
    s = intel_sub_group_bf16_bf16_matrix_mad_k16(as_int8(left), as_int8(right), s);
#endif
#if MMA == MMA_MFMA
    vstore4(s, 0, sum);
#else
    vstore8(s, 0, sum);
#endif
#endif
}
#endif
