/* test_opencl_products.c — what the trials of test_kernels do not reach: convolutions
 * by Winograd's method, which takes many channels to be chosen, and the timing of choices.
 */
#include "device/backend.h"
#include "device/opencl/matrix.h"
#include "device/opencl/tuning.h"
#include "tests/unit.h"
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MOST = 8192, WIDEST = 10 };

static struct ursa_cl_device *device_or_skip(void)
{
    ursa_device *device = ursa_device_open("opencl");
    if (!device) {
        ursa_clear_error();
        skip();
    }
    return ursa_cl_device(device);
}

struct image {
    ursa_array array;
    float values[MOST]; /* as the array holds them */
};

static int64_t shape_image(struct image *image, ursa_dtype dtype, const int64_t shape[4])
{
    image->array = (ursa_array){.dtype = dtype, .ndim = 4};
    int64_t count = 1;
    for (int axis = 3; axis >= 0; axis--) {
        image->array.shape[axis] = shape[axis];
        image->array.stride[axis] = count;
        count *= shape[axis];
    }
    assert_true(count <= MOST);
    return count;
}

/* Numbers of -1 … 1 in steps of 1/64, which every float type holds. */
static void make_image(struct image *image, ursa_device *device, ursa_dtype dtype, const int64_t shape[4],
                       unsigned seed)
{
    int64_t count = shape_image(image, URSA_F32, shape);
    for (int64_t i = 0; i < count; i++) {
        seed = seed * 1664525u + 1013904223u;
        image->values[i] = (float)((int)(seed >> 24) - 128) / 128.0f;
    }
    image->array.buffer = ursa_buffer_new(device, URSA_F32, count);
    assert_non_null(image->array.buffer);
    assert_true(ursa_buffer_write(image->array.buffer, 0, URSA_F32, image->values, count));
    if (dtype == URSA_F32)
        return;
    ursa_array half = image->array;
    half.dtype = dtype;
    half.buffer = ursa_buffer_new(device, dtype, count);
    assert_true(ursa_op_copy(device, &(struct ursa_copy_args){.x = image->array, .out = half}));
    ursa_buffer_release(image->array.buffer);
    image->array = half;
}

/* One result of the convolution, or of the gradient to its input, and the sum of its terms' magnitudes. */
static double expected(const struct image *x, const struct image *w, const int *pad, bool gradient, const int64_t *at,
                       double *magnitude)
{
    const int64_t *from = x->array.shape, *window = w->array.shape;
    double sum = *magnitude = 0;
    for (int a = 0; a < 3; a++)
        for (int b = 0; b < 3; b++) {
            int64_t y = gradient ? at[1] + pad[0] - a : at[1] - pad[0] + a;
            int64_t z = gradient ? at[2] + pad[1] - b : at[2] - pad[1] + b;
            for (int64_t d = 0; y >= 0 && y < from[1] && z >= 0 && z < from[2] && d < from[3]; d++) {
                int64_t o = gradient ? d : at[3], i = gradient ? at[3] : d;
                double term = (double)x->values[((at[0] * from[1] + y) * from[2] + z) * from[3] + d] *
                              (double)w->values[((o * 3 + a) * 3 + b) * window[3] + i];
                sum += term;
                *magnitude += fabs(term);
            }
        }
    return sum;
}

/* The 36 sums that Winograd's method makes a result of are larger than it: in the corners of a tile the root of their
 * squares' sum is 7.1 times its root mean square (the root of a third of Σ (Aᵀ)² ΣG² Σ(Bᵀ)², which is 2.67, along both
 * axes). Each product carries some 37 roundings of 2⁻²⁴ / √3: 12 of each of the three transforms, and its own. For 108
 * terms of numbers in -1 … 1, with a root mean square of 3.5 and 27 for their magnitude, that is a standard deviation
 * of 7.1 √(37 / 3) 3.5 = 87 times 2⁻²⁴; what is allowed is 13 of these, and 6 in the corner of an image, where 4 of 9
 * taps meet it. Results of a half type are rounded once more. */
static void compare(const struct image *x, const struct image *w, const int *pad, bool gradient,
                    const struct image *out, const float *bias, bool relu)
{
    const int64_t *shape = out->array.shape;
    double rounding = out->array.dtype == URSA_F32 ? 0x1p-24 : 0x1p-8;
    int64_t i = 0, at[4];
    for (at[0] = 0; at[0] < shape[0]; at[0]++)
        for (at[1] = 0; at[1] < shape[1]; at[1]++)
            for (at[2] = 0; at[2] < shape[2]; at[2]++)
                for (at[3] = 0; at[3] < shape[3]; at[3]++, i++) {
                    double magnitude, value = expected(x, w, pad, gradient, at, &magnitude);
                    value += bias ? (double)bias[at[3]] : 0;
                    if (relu && value < 0)
                        value = 0;
                    double bound = 40 * 0x1p-24 * (magnitude + 1) + rounding * fabs(value);
                    if (fabs((double)out->values[i] - value) > bound)
                        fail_msg("element %lld is %.9g, expected %.9g within %.2g", (long long)i,
                                 (double)out->values[i], value, bound);
                }
}

struct problem {
    int64_t images, height, width, channels, out_channels;
    int pad[2];
};

static void check_winograd(const struct problem *p, ursa_dtype dtype, bool gradient)
{
    struct ursa_cl_device *device = device_or_skip();
    static struct image x, w, out;
    const int64_t image[4] = {p->images, p->height, p->width, p->channels},
                  window[4] = {p->out_channels, 3, 3, p->channels};
    const int64_t result[4] = {p->images, p->height + 2 * p->pad[0] - 2, p->width + 2 * p->pad[1] - 2, p->out_channels};
    const struct ursa_cl_choice winograd = {.method = URSA_CL_WINOGRAD};
    ursa_conv_geometry geometry = {.stride = {1, 1}, .pad = {p->pad[0], p->pad[1]}, .dilation = {1, 1}, .groups = 1};
    float bias_values[WIDEST];
    for (int i = 0; i < WIDEST; i++)
        bias_values[i] = (float)i / 4 - 1;

    make_image(&x, &device->base, dtype, gradient ? result : image, 1);
    make_image(&w, &device->base, URSA_F32, window, 2);
    int64_t count = shape_image(&out, dtype, gradient ? image : result);
    out.array.buffer = ursa_buffer_new(&device->base, dtype, count);
    ursa_array bias = {.buffer = ursa_buffer_new(&device->base, URSA_F32, WIDEST), .ndim = 1};
    bias.shape[0] = p->out_channels;
    bias.stride[0] = 1;
    assert_true(ursa_buffer_write(bias.buffer, 0, URSA_F32, bias_values, WIDEST));

    ursa_cl_try_choice(&winograd);
    if (gradient)
        assert_true(ursa_op_conv2d_grad_input(
            &device->base, &(struct ursa_conv2d_grad_input_args){geometry, x.array, w.array, out.array}));
    else
        assert_true(ursa_op_conv2d(
            &device->base,
            &(struct ursa_conv2d_args){geometry, x.array, w.array, bias, out.array, {true, URSA_UNARY_relu, 0, 0}}));
    ursa_cl_try_choice(NULL);
    ursa_array floats = out.array;
    floats.dtype = URSA_F32;
    floats.buffer = ursa_buffer_new(&device->base, URSA_F32, count);
    assert_true(ursa_op_copy(&device->base, &(struct ursa_copy_args){.x = out.array, .out = floats}));
    assert_true(ursa_buffer_read(floats.buffer, 0, URSA_F32, out.values, count));
    compare(&x, &w, p->pad, gradient, &out, gradient ? NULL : bias_values, !gradient);

    ursa_buffer *const buffers[] = {x.array.buffer, w.array.buffer, out.array.buffer, bias.buffer, floats.buffer};
    for (size_t i = 0; i < sizeof buffers / sizeof *buffers; i++)
        ursa_buffer_release(buffers[i]);
}

static void test_winograd(void **state)
{
    (void)state;
    static const struct problem problems[] = {
        {2, 9, 6, 12, 10, {1, 0}}, /* tiles are cut on two sides */
        {1, 1, 1, 2, 2, {1, 1}},   /* taps outside on every side */
        {3, 5, 13, 8, 4, {2, 1}},  /* more pixels of the result than of the image */
        {1, 8, 4, 4, 6, {1, 1}},   /* whole tiles */
    };
    for (size_t i = 0; i < sizeof problems / sizeof *problems; i++) {
        check_winograd(&problems[i], URSA_F32, false);
        check_winograd(&problems[i], URSA_F32, true);
        check_winograd(&problems[i], URSA_BF16, false);
    }
}

/* ---- statistics of the result --------------------------------------------------- */

/* Mean and variance that a convolution gives with this choice, beside those of what it wrote. */
static void check_statistics(struct ursa_cl_device *device, const struct ursa_cl_choice *choice)
{
    enum { PIXELS = 2 * 11 * 9, OUT = 10 };
    static struct image x, w, out, mean, var;
    make_image(&x, &device->base, URSA_F32, (const int64_t[]){2, 11, 9, 4}, 1);
    make_image(&w, &device->base, URSA_F32, (const int64_t[]){OUT, 1, 1, 4}, 2);
    make_image(&out, &device->base, URSA_F32, (const int64_t[]){2, 11, 9, OUT}, 3);
    make_image(&mean, &device->base, URSA_F32, (const int64_t[]){1, 1, 1, OUT}, 4);
    make_image(&var, &device->base, URSA_F32, (const int64_t[]){1, 1, 1, OUT}, 5);
    struct ursa_conv2d_args args = {.geometry = {.stride = {1, 1}, .dilation = {1, 1}, .groups = 1},
                                    .x = x.array,
                                    .w = w.array,
                                    .out = out.array,
                                    .mean = mean.array,
                                    .var = var.array};
    args.mean.ndim = args.var.ndim = 1;
    args.mean.shape[0] = args.var.shape[0] = OUT;
    args.mean.stride[0] = args.var.stride[0] = 1;
    ursa_cl_try_choice(choice);
    assert_true(ursa_op_conv2d(&device->base, &args));
    ursa_cl_try_choice(NULL);
    struct image *const results[] = {&out, &mean, &var};
    for (size_t i = 0; i < sizeof results / sizeof *results; i++)
        assert_true(ursa_buffer_read(results[i]->array.buffer, 0, URSA_F32, results[i]->values,
                                     ursa_array_count(&results[i]->array)));
    for (int c = 0; c < OUT; c++) {
        double sum = 0, squares = 0;
        for (int i = 0; i < PIXELS; i++)
            sum += (double)out.values[i * OUT + c];
        for (int i = 0; i < PIXELS; i++)
            squares += pow((double)out.values[i * OUT + c] - sum / PIXELS, 2);
        if (fabs((double)mean.values[c] - sum / PIXELS) > 1e-6 || fabs((double)var.values[c] - squares / PIXELS) > 1e-5)
            fail_msg("tile %d × %d: mean %.9g of %.9g, variance %.9g of %.9g", choice->tile.rows, choice->tile.columns,
                     (double)mean.values[c], sum / PIXELS, (double)var.values[c], squares / PIXELS);
    }
    struct image *const all[] = {&x, &w, &out, &mean, &var};
    for (size_t i = 0; i < sizeof all / sizeof *all; i++)
        ursa_buffer_release(all[i]->array.buffer);
}

/* The model's choice, and the tallest tile, whose items have most to show each other. */
static void test_statistics_of_tiles(void **state)
{
    static const char *const families[] = {"gpu", "intel"};
    (void)state;
    struct ursa_cl_device *device = device_or_skip();
    const struct ursa_cl_product product = {.kind = URSA_CL_CONV, .batch = 1, .m = 198, .n = 10, .k = 4};
    for (size_t f = 0; f < sizeof families / sizeof *families; f++) {
        struct ursa_cl_choice choices[URSA_CL_MOST_CANDIDATES];
        setenv("URSA_CL_FAMILY", families[f], 1);
        int count = ursa_cl_candidates(device, &product, choices), tallest = 0;
        for (int i = 0; i < count; i++)
            if (choices[i].tile.rows * choices[tallest].tile.columns >
                choices[tallest].tile.rows * choices[i].tile.columns)
                tallest = i;
        check_statistics(device, &choices[0]);
        check_statistics(device, &choices[tallest]);
    }
    unsetenv("URSA_CL_FAMILY");
}

/* GPUs choose it for many channels, and nowhere else; halves go to matrix instructions. */
static void test_choices(void **state)
{
    (void)state;
    struct ursa_cl_device *device = device_or_skip();
    struct ursa_cl_product deep = {.kind = URSA_CL_CONV, .batch = 1, .m = 4096, .n = 256, .k = 9 * 256, .window = 3};
    struct ursa_cl_product shallow = deep, wide = deep;
    shallow.n = 16, shallow.k = 9 * 16;
    wide.window = 0;
    setenv("URSA_CL_FAMILY", "nvidia", 1);
    assert_int_equal(ursa_cl_choose(device, &deep).method, URSA_CL_WINOGRAD);
    assert_int_equal(ursa_cl_choose(device, &shallow).method, URSA_CL_TILES);
    assert_int_equal(ursa_cl_choose(device, &wide).method, URSA_CL_TILES);
    setenv("URSA_CL_MMA", "mfma", 1); /* halves only */
    assert_int_equal(ursa_cl_choose(device, &deep).method, URSA_CL_WINOGRAD);
    deep.type = URSA_BF16;
    assert_int_equal(ursa_cl_choose(device, &deep).method, URSA_CL_MATRIX);
    setenv("URSA_CL_MMA", "m16n8k8", 1); /* f16 only */
    assert_int_equal(ursa_cl_choose(device, &deep).method, URSA_CL_WINOGRAD);
    unsetenv("URSA_CL_MMA");
    deep.type = URSA_F32;
    unsetenv("URSA_CL_FAMILY");
    char name[URSA_CL_CLASS_LENGTH];
    ursa_cl_product_class(&deep, name);
    assert_string_equal(name, "conv f32 1x4096x256x4096 w3 tt");
}

/* ---- matrix instructions ------------------------------------------------------- */

/* Rows, columns and terms of a product that fills no tile; those of a factor are neighbours in memory, or its rows are.
 */
enum { M = 29, N = 26, K = 45 };

static ursa_array matrix_of(const struct image *image, int64_t rows, int64_t columns, bool across)
{
    ursa_array a = image->array;
    a.ndim = 3;
    a.shape[0] = 1, a.shape[1] = rows, a.shape[2] = columns;
    a.stride[0] = rows * columns;
    a.stride[1] = across ? columns : 1;
    a.stride[2] = across ? 1 : rows;
    return a;
}

/* out = x y by the instruction that URSA_CL_MMA says, or the device reports. */
static void multiply(struct ursa_cl_device *device, ursa_dtype type, bool x_across, bool y_across, float *out)
{
    static struct image x, y, result;
    make_image(&x, &device->base, type, (const int64_t[]){1, 1, M, K}, 1);
    make_image(&y, &device->base, type, (const int64_t[]){1, 1, K, N}, 2);
    make_image(&result, &device->base, URSA_F32, (const int64_t[]){1, 1, M, N}, 3);
    struct ursa_gemm_args args = {.x = matrix_of(&x, M, K, x_across),
                                  .y = matrix_of(&y, K, N, y_across),
                                  .out = matrix_of(&result, M, N, true),
                                  .alpha = 1};
    struct ursa_cl_product product = {.kind = URSA_CL_GEMM,
                                      .type = type,
                                      .batch = 1,
                                      .m = M,
                                      .n = N,
                                      .k = K,
                                      .x_across = x_across,
                                      .y_across = y_across};
    assert_int_equal(ursa_cl_choose(device, &product).method, URSA_CL_MATRIX);
    assert_true(ursa_op_gemm(&device->base, &args));
    assert_true(ursa_buffer_read(result.array.buffer, 0, URSA_F32, out, M * N));
    for (int row = 0; row < M; row++) /* multiples of 2⁻¹⁴ of few bits: every sum is exact, in any order */
        for (int column = 0; column < N; column++) {
            float sum = 0;
            for (int k = 0; k < K; k++)
                sum += x.values[x_across ? row * K + k : k * M + row] *
                       y.values[y_across ? k * N + column : column * K + k];
            if (out[row * N + column] != sum)
                fail_msg("%d, %d is %.9g, expected %.9g", row, column, (double)out[row * N + column], (double)sum);
        }
    ursa_buffer_release(x.array.buffer);
    ursa_buffer_release(y.array.buffer);
    ursa_buffer_release(result.array.buffer);
}

/* The twin of every instruction, for factors along the terms and across them. */
static void test_twins_of_matrix_instructions(void **state)
{
    static const struct {
        const char *name;
        ursa_dtype type;
        bool x_across, y_across;
    } cases[] = {
        {"m16n8k16", URSA_F16, true, false}, {"m16n8k8", URSA_F16, false, true}, {"wmma", URSA_BF16, false, true},
        {"mfma", URSA_BF16, true, false},    {"dpas", URSA_F16, false, true},
    };
    static float out[M * N];
    (void)state;
    struct ursa_cl_device *device = device_or_skip();
    setenv("URSA_CL_FAMILY", "gpu", 1);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        setenv("URSA_CL_MMA", cases[i].name, 1);
        multiply(device, cases[i].type, cases[i].x_across, cases[i].y_across, out);
    }
    unsetenv("URSA_CL_MMA");
    unsetenv("URSA_CL_FAMILY");
}

/* On a device that has one: the instruction itself, and the same bits as from its twin. */
static void test_matrix_instruction(void **state)
{
    static float real[M * N], twin[M * N];
    (void)state;
    struct ursa_cl_device *device = device_or_skip();
    struct ursa_cl_mma reported = ursa_cl_mma(device, URSA_F16);
    multiply(device, URSA_F16, true, false, real);
    setenv("URSA_CL_MMA", ursa_cl_mma_name(reported.instruction), 1);
    multiply(device, URSA_F16, true, false, twin);
    unsetenv("URSA_CL_MMA");
    assert_memory_equal(real, twin, sizeof real);
}

static void test_choices_are_timed(void **state)
{
    (void)state;
    struct ursa_cl_device *device = device_or_skip();
    struct ursa_cl_product problems[] = {
        {.kind = URSA_CL_GEMM, .batch = 1, .m = 33, .n = 20, .k = 40, .x_across = true},
        {.kind = URSA_CL_CONV, .batch = 1, .m = 64, .n = 8, .k = 72, .window = 3},
        {.kind = URSA_CL_CONV_WEIGHT, .batch = 1, .m = 8, .n = 72, .k = 64},
    };
    for (size_t i = 0; i < sizeof problems / sizeof *problems; i++) {
        struct ursa_cl_choice choices[URSA_CL_MOST_CANDIDATES];
        assert_true(ursa_cl_candidates(device, &problems[i], choices) > 0);
        assert_true(ursa_cl_time_choice(device, &problems[i], &choices[0]) > 0);
    }
}

static bool reports_instruction(void)
{
    ursa_device *device = ursa_device_open("opencl");
    ursa_clear_error();
    return device && ursa_cl_mma(ursa_cl_device(device), URSA_F16).instruction != URSA_CL_NO_MMA;
}

/* `instruction`: that of the device. Else all other tests, or those whose names fit a pattern; options are those of
 * other programs. */
int main(int argc, char **argv)
{
    const struct CMUnitTest own[] = {cmocka_unit_test(test_matrix_instruction)};
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_winograd),
        cmocka_unit_test(test_statistics_of_tiles),
        cmocka_unit_test(test_choices),
        cmocka_unit_test(test_choices_are_timed),
        cmocka_unit_test(test_twins_of_matrix_instructions),
    };
    bool wants_own = argc > 1 && strcmp(argv[1], "instruction") == 0;
    if (wants_own && !reports_instruction()) {
        printf("1..0 # SKIP no device reports an instruction for matrices of halves\n");
        return ursa_finish();
    }
    if (wants_own)
        return run_unit_tests("matrix_instruction", own);
    if (argc > 1 && argv[1][0] != '-')
        cmocka_set_test_filter(argv[1]);
    return run_unit_tests("opencl_products", tests);
}
