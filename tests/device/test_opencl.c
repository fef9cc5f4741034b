/* test_opencl.c — the OpenCL runtime: programs kept on disk, faults found by
 * kernels, waiting, and doing without a driver. Results of operators are
 * test_kernels' matter. */
#include "device/backend.h"
#include "device/opencl/tuning.h"
#include "device/tuner.h"
#include "tests/unit.h"
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

enum { COUNT = 1000 };

/* The device, or the test is skipped. */
static ursa_device *device_or_skip(void)
{
    ursa_device *device = ursa_device_open("opencl");
    if (!device) {
        ursa_clear_error();
        skip();
    }
    return device;
}

static ursa_array vector(ursa_device *device, ursa_dtype dtype, int64_t count)
{
    ursa_array array = {.buffer = ursa_buffer_new(device, dtype, count), .dtype = dtype, .ndim = 1};
    array.shape[0] = count;
    array.stride[0] = 1;
    assert_non_null(array.buffer);
    return array;
}

/* ---- programs on disk ------------------------------------------------------ */

/* In a process of its own, as a later run would: takes the square of some
 * numbers. Returns how many programs were compiled, 100 when the device is
 * missing, 200 when something is wrong. */
static int compilations_in_new_process(void)
{
    fflush(NULL);
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        ursa_device *device = ursa_device_open("opencl");
        if (!device)
            _exit(100);
        ursa_array x = vector(device, URSA_F32, COUNT);
        float values[COUNT];
        for (int i = 0; i < COUNT; i++)
            values[i] = (float)i;
        bool ok = ursa_buffer_write(x.buffer, 0, URSA_F32, values, COUNT) &&
                  ursa_op_unary(device, &(struct ursa_unary_args){.kind = URSA_UNARY_square, .x = x, .out = x}) &&
                  ursa_buffer_read(x.buffer, 0, URSA_F32, values, COUNT) && values[12] == 144;
        _exit(ok ? (int)ursa_device_programs(device).compiled : 200);
    }
    int status;
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFEXITED(status));
    return WEXITSTATUS(status);
}

static char folder[] = "/tmp/ursa-test-XXXXXX";

/* Calls `change` on every kept program; returns how many there are. */
static int each_kept(void (*change)(const char *path))
{
    char path[512], file[1024];
    snprintf(path, sizeof path, "%s/ursa/opencl", folder);
    DIR *listing = opendir(path);
    int count = 0;
    for (struct dirent *entry; listing && (entry = readdir(listing));) {
        if (entry->d_name[0] == '.')
            continue;
        snprintf(file, sizeof file, "%s/%s", path, entry->d_name);
        change(file);
        count++;
    }
    if (listing)
        closedir(listing);
    return count;
}

static void keep(const char *path)
{
    (void)path;
}

static void delete (const char *path)
{
    unlink(path);
}

/* One byte in the middle of the binary. */
static void damage(const char *path)
{
    FILE *file = fopen(path, "r+b");
    assert_non_null(file);
    fseek(file, 0, SEEK_END);
    long middle = ftell(file) / 2;
    fseek(file, middle, SEEK_SET);
    int byte = getc(file);
    fseek(file, middle, SEEK_SET);
    putc(byte ^ 0xff, file);
    fclose(file);
}

static void cut(const char *path)
{
    assert_int_equal(truncate(path, 40), 0);
}

static void test_programs_are_kept(void **state)
{
    (void)state;
    int first = compilations_in_new_process();
    if (first == 100)
        skip();
    assert_int_equal(first, 1);
    assert_int_equal(each_kept(keep), 1);
    assert_int_equal(compilations_in_new_process(), 0);
    each_kept(damage);
    assert_int_equal(compilations_in_new_process(), 1);
    assert_int_equal(compilations_in_new_process(), 0);
    each_kept(cut);
    assert_int_equal(compilations_in_new_process(), 1);
    assert_int_equal(compilations_in_new_process(), 0);
}

/* ---- what the tuner keeps ------------------------------------------------------ */

static const char kind[] = "gemm f32 1x64x64x64 w0 nn";
static const struct ursa_cl_choice flat = {URSA_CL_TILES, {24, 256, 64, 1, 1, 6, 16}};

/* In a process of its own: keeps a choice if asked to, and tells whether it is there: 1 or 0; 100 when the device is
 * missing, 200 when something is wrong. */
static int choice_in_new_process(bool keep)
{
    fflush(NULL);
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        ursa_device *device = ursa_device_open("opencl");
        if (!device)
            _exit(100);
        struct ursa_cl_choice found;
        bool ok = !keep || ursa_cl_store_choice(ursa_cl_device(device), kind, &flat, 0.5);
        bool there = ursa_cl_stored_choice(ursa_cl_device(device), kind, &found);
        struct ursa_tuned entry;
        bool listed = device->backend->tuner->kept(device, 0, &entry);
        ok = ok && listed == there &&
             (!there || (memcmp(&found, &flat, sizeof flat) == 0 && entry.after_seconds == 0.5));
        _exit(ok ? there : 200);
    }
    int status;
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFEXITED(status));
    return WEXITSTATUS(status);
}

static void add_line(const char *path)
{
    FILE *file = fopen(path, "a");
    assert_non_null(file);
    fprintf(file, "gemm f32 1x64x64x32 w0 nn\ttiles 24 256 0 1 1 6 16\t0.5\n"); /* nothing is 0 deep */
    fclose(file);
}

static void test_choices_are_kept(void **state)
{
    (void)state;
    each_kept(delete);
    int first = choice_in_new_process(false);
    if (first == 100)
        skip();
    assert_int_equal(first, 0);
    assert_int_equal(choice_in_new_process(true), 1);
    assert_int_equal(choice_in_new_process(false), 1);
    each_kept(add_line);
    assert_int_equal(choice_in_new_process(false), 0);
    assert_int_equal(choice_in_new_process(true), 1);
    each_kept(cut);
    assert_int_equal(choice_in_new_process(false), 0);
    each_kept(delete);
}

/* In a process without CLBlast: what was kept of it, or of tiles that are no candidates of this device, is no choice.
 */
static int choice_without_clblast(void)
{
    fflush(NULL);
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        setenv("URSA_CLBLAST", "0", 1);
        ursa_device *base = ursa_device_open("opencl");
        if (!base)
            _exit(100);
        struct ursa_cl_device *device = ursa_cl_device(base);
        struct ursa_cl_product product = {URSA_CL_GEMM, URSA_F32, 1, 64, 64, 64, 0, true, true};
        struct ursa_cl_choice model = ursa_cl_choose(device, &product), found, clblast = {.method = URSA_CL_CLBLAST};
        bool ok = ursa_cl_store_choice(device, kind, &clblast, 0.5);
        found = ursa_cl_choose(device, &product);
        ok = ok && model.method == URSA_CL_TILES && memcmp(&found, &model, sizeof model) == 0;
        ok = ok && ursa_cl_time_choice(device, &product, &found) > 0;
        ok = ok && ursa_cl_store_choice(device, kind, &flat, 0.5);
        found = ursa_cl_choose(device, &product);
        _exit(ok && memcmp(&found, &model, sizeof model) == 0 ? 0 : 200);
    }
    int status;
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFEXITED(status));
    return WEXITSTATUS(status);
}

static void test_what_cannot_be_chosen_any_more(void **state)
{
    (void)state;
    each_kept(delete);
    int code = choice_without_clblast();
    if (code == 100)
        skip();
    assert_int_equal(code, 0);
    each_kept(delete);
}

/* ---- devices ---------------------------------------------------------------- */

/* The loader finds no driver: no device, an error that says so, no crash. */
static void test_without_drivers(void **state)
{
    (void)state;
    fflush(NULL);
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        setenv("OCL_ICD_VENDORS", folder, 1);
        setenv("OCL_ICD_FILENAMES", "", 1);
        bool ok = ursa_opencl_provider.count() == 0 && !ursa_device_open("opencl") &&
                  ursa_error_kind_of() == URSA_ERROR_DEVICE;
        ursa_clear_error();
        _exit(ok && ursa_device_open("cpu") ? 0 : 1);
    }
    int status;
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), 0);
}

static void test_unknown_number(void **state)
{
    (void)state;
    assert_null(ursa_device_open("opencl:9"));
    assert_int_equal(ursa_error_kind_of(), URSA_ERROR_DEVICE);
    ursa_clear_error();
}

/* ---- errors ------------------------------------------------------------------ */

static void test_index_outside_is_reported_by_the_next_read(void **state)
{
    (void)state;
    ursa_device *device = device_or_skip();
    ursa_array x = vector(device, URSA_F32, 5), index = vector(device, URSA_I64, 3), out = vector(device, URSA_F32, 3);
    const float values[5] = {1, 2, 3, 4, 5};
    const int64_t bad[3] = {0, 7, 4}, good[3] = {0, 3, 4};
    float picked[3];
    assert_true(ursa_buffer_write(x.buffer, 0, URSA_F32, values, 5));
    assert_true(ursa_buffer_write(index.buffer, 0, URSA_I64, bad, 3));
    struct ursa_gather_args args = {.x = x, .index = index, .out = out};
    assert_true(ursa_op_gather(device, &args));
    assert_false(ursa_buffer_read(out.buffer, 0, URSA_F32, picked, 3));
    assert_int_equal(ursa_error_kind_of(), URSA_ERROR_ARGUMENT);
    assert_string_equal(ursa_error(), "gather: index 7 is outside 0 … 4");
    ursa_clear_error();

    assert_true(ursa_buffer_write(index.buffer, 0, URSA_I64, good, 3));
    assert_true(ursa_op_gather(device, &args));
    assert_true(ursa_buffer_read(out.buffer, 0, URSA_F32, picked, 3));
    assert_true(picked[0] == 1 && picked[1] == 4 && picked[2] == 5);
    ursa_buffer_release(x.buffer);
    ursa_buffer_release(index.buffer);
    ursa_buffer_release(out.buffer);
}

static void test_source_that_does_not_compile(void **state)
{
    (void)state;
    struct ursa_cl_device *device = ursa_cl_device(device_or_skip());
    assert_null(ursa_cl_kernel(device, "unary", "unary", "-DT=f32 -DFUNCTION=no_such_function -DNDIM=0"));
    assert_int_equal(ursa_error_kind_of(), URSA_ERROR_DEVICE);
    assert_non_null(strstr(ursa_error(), "unary.cl does not compile"));
    ursa_clear_error();
    assert_null(ursa_cl_kernel(device, "no_such_file", "kernel", "-DT=f32"));
    assert_int_equal(ursa_error_kind_of(), URSA_ERROR_UNSUPPORTED);
    ursa_clear_error();
}

static void test_more_elements_than_int(void **state)
{
    (void)state;
    ursa_array huge = {.dtype = URSA_U8, .ndim = 2, .shape = {65536, 32768}, .stride = {32768, 1}};
    assert_int_equal(ursa_cl_count("fill", &huge), -1);
    assert_int_equal(ursa_error_kind_of(), URSA_ERROR_UNSUPPORTED);
    ursa_clear_error();
    huge.shape[0]--;
    assert_int_equal(ursa_cl_count("fill", &huge), 65535 * 32768);
}

/* ---- waiting ------------------------------------------------------------------ */

static void test_only_reading_waits(void **state)
{
    (void)state;
    ursa_device *device = device_or_skip();
    ursa_array x = vector(device, URSA_F32, COUNT);
    float values[COUNT] = {0};
    uint64_t before = ursa_device_waits(device);
    for (int i = 0; i < 50; i++) {
        values[0] = (float)i;
        assert_true(ursa_buffer_write(x.buffer, 0, URSA_F32, values, COUNT));
        values[0] = -1; /* the write has taken what it needs */
        assert_true(ursa_op_unary(
            device, &(struct ursa_unary_args){.kind = URSA_UNARY_affine, .x = x, .out = x, .a = 1, .b = 1}));
    }
    assert_int_equal(ursa_device_waits(device), before);
    assert_true(ursa_buffer_read(x.buffer, 0, URSA_F32, values, COUNT));
    assert_true(values[0] == 50 && values[1] == 1);
    assert_int_equal(ursa_device_waits(device), before + 1);
    ursa_buffer_release(x.buffer);
}

/* ---- tuning ------------------------------------------------------------------- */

/* A kept choice computes the product from then on, and computes the same. */
static void test_a_kept_choice_is_used(void **state)
{
    (void)state;
    enum { SIDE = 64 };
    ursa_device *device = device_or_skip();
    struct ursa_cl_device *cl = ursa_cl_device(device);
    float *values = malloc(SIDE * SIDE * sizeof *values), *before = malloc(SIDE * SIDE * sizeof *before);
    ursa_array m[3];
    for (int i = 0; i < 3; i++) {
        m[i] = vector(device, URSA_F32, SIDE * SIDE);
        m[i].ndim = 3;
        memcpy(m[i].shape, (int64_t[]){1, SIDE, SIDE}, 3 * sizeof(int64_t));
        memcpy(m[i].stride, (int64_t[]){SIDE * SIDE, SIDE, 1}, 3 * sizeof(int64_t));
        for (int j = 0; j < SIDE * SIDE; j++)
            values[j] = (float)((j * (i + 3)) % 17) - 8;
        assert_true(ursa_buffer_write(m[i].buffer, 0, URSA_F32, values, SIDE * SIDE));
    }
    struct ursa_gemm_args args = {.x = m[0], .y = m[1], .out = m[2], .alpha = 1};
    struct ursa_cl_product product = {URSA_CL_GEMM, URSA_F32, 1, SIDE, SIDE, SIDE, 0, true, true};
    struct ursa_cl_choice ways[URSA_CL_MOST_CANDIDATES], chosen = ursa_cl_choose(cl, &product);
    char name[URSA_CL_CLASS_LENGTH];
    ursa_cl_product_class(&product, name);
    assert_true(ursa_op_gemm(device, &args) && ursa_buffer_read(m[2].buffer, 0, URSA_F32, before, SIDE * SIDE));
    int count = ursa_cl_candidates(cl, &product, ways);
    for (int i = 0; i < count; i++) {
        assert_true(ursa_cl_store_choice(cl, name, &ways[i], 1));
        chosen = ursa_cl_choose(cl, &product);
        assert_memory_equal(&chosen, &ways[i], sizeof chosen);
        assert_true(ursa_cl_time_choice(cl, &product, &ways[i]) > 0);
        assert_true(ursa_op_gemm(device, &args) && ursa_buffer_read(m[2].buffer, 0, URSA_F32, values, SIDE * SIDE));
        for (int j = 0; j < SIDE * SIDE; j++)
            if (values[j] != before[j]) /* whole numbers: every order of the sums gives the same */
                fail_msg("way %d: element %d is %g, expected %g", i, j, values[j], before[j]);
    }
    assert_true(device->backend->tuner->forget(device));
    struct ursa_cl_choice model = ursa_cl_choose(cl, &product);
    assert_memory_equal(&model, &ways[0], sizeof model);
    for (int i = 0; i < 3; i++)
        ursa_buffer_release(m[i].buffer);
    free(values);
    free(before);
}

/* ---- uploads ------------------------------------------------------------------ */

static uint8_t pattern(size_t seed, size_t i)
{
    return (uint8_t)(seed * 31 + i * 7 + (i >> 12));
}

static void check_upload(ursa_device *device, size_t seed, const uint8_t *data, int64_t count)
{
    ursa_array x = vector(device, URSA_U8, count + 3);
    uint8_t *found = malloc((size_t)count);
    assert_true(ursa_buffer_write(x.buffer, 3, URSA_U8, data, count));
    assert_true(ursa_buffer_read(x.buffer, 3, URSA_U8, found, count));
    for (int64_t i = 0; i < count; i++)
        if (found[i] != pattern(seed, (size_t)i))
            fail_msg("byte %lld of %lld", (long long)i, (long long)count);
    free(found);
    ursa_buffer_release(x.buffer);
}

/* More at once than the ring can have, and more one after the other than it has. */
static void test_uploads_of_all_sizes(void **state)
{
    (void)state;
    ursa_device *device = device_or_skip();
    static const int64_t counts[] = {1, 255, 257, 3 << 20, (66 << 20) + 11};
    for (size_t i = 0; i < sizeof counts / sizeof *counts; i++) {
        uint8_t *data = malloc((size_t)counts[i]);
        for (int64_t j = 0; j < counts[i]; j++)
            data[j] = pattern(i, (size_t)j);
        check_upload(device, i, data, counts[i]);
        free(data);
    }
}

/* What the host lets go of and takes again at once, as loaders do with batches, still holds
 * what each operator was to see. */
static void test_uploads_keep_their_order(void **state)
{
    (void)state;
    enum { ROUNDS = 40, LENGTH = 1 << 20 };
    ursa_device *device = device_or_skip();
    ursa_array sum = vector(device, URSA_F32, LENGTH);
    float *values = malloc(LENGTH * sizeof *values);
    assert_true(ursa_op_fill(device, &(struct ursa_fill_args){.out = sum, .value = 0}));
    uint64_t before = ursa_device_waits(device);
    for (int round = 1; round <= ROUNDS; round++) {
        ursa_array x = vector(device, URSA_F32, LENGTH);
        for (int i = 0; i < LENGTH; i++)
            values[i] = (float)(round + i % 3);
        assert_true(ursa_buffer_write(x.buffer, 0, URSA_F32, values, LENGTH));
        assert_true(
            ursa_op_binary(device, &(struct ursa_binary_args){.kind = URSA_BINARY_add, .x = sum, .y = x, .out = sum}));
        ursa_buffer_release(x.buffer);
    }
    assert_int_equal(ursa_device_waits(device), before);
    assert_true(ursa_buffer_read(sum.buffer, 0, URSA_F32, values, LENGTH));
    for (int i = 0; i < LENGTH; i++)
        if (values[i] != (float)(ROUNDS * (ROUNDS + 1) / 2 + ROUNDS * (i % 3)))
            fail_msg("element %d is %g", i, values[i]);
    free(values);
    ursa_buffer_release(sum.buffer);
}

int main(void)
{
    if (!mkdtemp(folder))
        return 1;
    setenv("XDG_CACHE_HOME", folder, 1);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_choices_are_kept),
        cmocka_unit_test(test_what_cannot_be_chosen_any_more),
        cmocka_unit_test(test_programs_are_kept), /* these four fork, so they come before any driver is started */
        cmocka_unit_test(test_without_drivers),
        cmocka_unit_test(test_unknown_number),
        cmocka_unit_test(test_index_outside_is_reported_by_the_next_read),
        cmocka_unit_test(test_source_that_does_not_compile),
        cmocka_unit_test(test_more_elements_than_int),
        cmocka_unit_test(test_only_reading_waits),
        cmocka_unit_test(test_a_kept_choice_is_used),
        cmocka_unit_test(test_uploads_of_all_sizes),
        cmocka_unit_test(test_uploads_keep_their_order),
    };
    int status = run_unit_tests("opencl", tests);
    each_kept(delete);
    char path[512];
    for (const char *const *part = (const char *const[]){"/ursa/opencl", "/ursa", "", NULL}; *part; part++) {
        snprintf(path, sizeof path, "%s%s", folder, *part);
        rmdir(path);
    }
    return status;
}
