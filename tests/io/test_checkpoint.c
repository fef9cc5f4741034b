/* test_checkpoint.c — files of PyTorch's, by the names in them, and files that lie;
 * see make_torch_files.py. */
#include "../unit.h"

#include <ursa/ursa.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static char temporary[64];

static int make_path(void **state)
{
    (void)state;
    strcpy(temporary, "/tmp/ursa-test-XXXXXX");
    int file = mkstemp(temporary);
    return file < 0 ? -1 : close(file);
}

static int remove_path(void **state)
{
    (void)state;
    return unlink(temporary);
}

static ursa_checkpoint *open_file(const char *name)
{
    char path[512];
    snprintf(path, sizeof path, "%s/%s", TORCH_FILES, name);
    return ursa_checkpoint_open(path);
}

static ursa_checkpoint *open_sound(const char *kind, const char *rest)
{
    char name[64];
    snprintf(name, sizeof name, "%s%s.pth", kind, rest);
    ursa_checkpoint *file = open_file(name);
    if (!file)
        fail_msg("%s", ursa_error());
    return file;
}

/* Element i, whatever the type. */
static double element(const ursa_stored_tensor *tensor, int i)
{
    const char *data = tensor->data;
    ursa_scope *scope = ursa_scope_begin();
    double value =
        ursa_item(ursa_from(data + (size_t)i * ursa_dtype_size(tensor->dtype), ursa_shape(), .dtype = tensor->dtype));
    ursa_scope_end(scope);
    return value;
}

/* The first `count` elements; there are `all`. */
static void assert_values(const ursa_checkpoint *file, const char *name, ursa_dtype dtype, int all, int count,
                          const double *expected)
{
    const ursa_stored_tensor *tensor = ursa_checkpoint_find(file, name);
    if (!tensor)
        fail_msg("there is no %s", name);
    assert_int_equal(tensor->dtype, dtype);
    assert_int_equal(tensor->bytes, (size_t)all * ursa_dtype_size(dtype));
    for (int i = 0; i < count; i++)
        if (!(element(tensor, i) == expected[i]))
            fail_msg("%s[%d]: expected %g, found %g", name, i, expected[i], element(tensor, i));
}

static void test_formats(void **state)
{
    (void)state;
    const double bias[] = {100, 101};
    const char *const kinds[] = {"zip", "legacy", "protocol4", "zip_nested", "legacy_nested"};
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
        ursa_checkpoint *file = open_sound(kinds[i], "");
        assert_string_equal(ursa_checkpoint_format(file),
                            strstr(kinds[i], "legacy") ? "PyTorch (legacy)" : "PyTorch (zip)");
        assert_int_equal(ursa_checkpoint_count(file), 3);
        assert_values(file, "conv.bias", URSA_F32, 2, 2, bias);
        assert_values(file, "bn.num_batches_tracked", URSA_I64, 1, 1, (double[]){7});
        const ursa_stored_tensor *weight = ursa_checkpoint_find(file, "conv.weight");
        assert_int_equal(weight->shape.ndim, 4);
        for (int n = 0; n < 24; n++)
            assert_true(element(weight, n) == n);
        assert_null(ursa_checkpoint_find(file, "conv"));
        assert_null(ursa_checkpoint_metadata(file, "format"));
        ursa_checkpoint_close(file);
    }
}

static void test_types(void **state)
{
    (void)state;
    const struct {
        const char *name;
        ursa_dtype dtype;
    } types[] = {{"float64", URSA_F32}, {"float32", URSA_F32}, {"float16", URSA_F16}, {"bfloat16", URSA_BF16},
                 {"int64", URSA_I64},   {"int32", URSA_I32},   {"int16", URSA_I32},   {"int8", URSA_I32}};
    for (int legacy = 0; legacy < 2; legacy++) {
        ursa_checkpoint *file = open_sound(legacy ? "legacy" : "zip", "_types");
        for (size_t i = 0; i < sizeof types / sizeof *types; i++)
            assert_values(file, types[i].name, types[i].dtype, 3, 3, (double[]){-1, 0, 1});
        assert_values(file, "uint8", URSA_U8, 3, 3, (double[]){253, 254, 255});
        assert_values(file, "bool", URSA_BOOL, 3, 3, (double[]){1, 0, 1});
        assert_values(file, "scalar", URSA_F32, 1, 1, (double[]){3.5});
        assert_values(file, "empty", URSA_F32, 0, 0, NULL);
        assert_int_equal(ursa_checkpoint_find(file, "empty")->shape.dim[1], 4);
        ursa_checkpoint_close(file);
    }
}

/* Tensors that share a storage, begin within it, and are not in row-major order. */
static void test_views(void **state)
{
    (void)state;
    for (int legacy = 0; legacy < 2; legacy++) {
        ursa_checkpoint *file = open_sound(legacy ? "legacy" : "zip", "_views");
        assert_values(file, "rows", URSA_F32, 12, 12, (double[]){6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17});
        assert_values(file, "columns", URSA_F32, 8, 8, (double[]){1, 2, 7, 8, 13, 14, 19, 20});
        assert_values(file, "turned", URSA_F32, 24, 6, (double[]){0, 6, 12, 18, 1, 7});
        assert_values(file, "channels_last", URSA_F32, 24, 6, (double[]){0, 1, 2, 3, 4, 5});
        assert_values(file, "parameter", URSA_F32, 6, 6, (double[]){18, 19, 20, 21, 22, 23});
        ursa_checkpoint_close(file);
    }
}

static void test_refusals(void **state)
{
    (void)state;
    const struct {
        const char *name, *expected;
    } files[] = {
        {"zip_evil.pth", "it wants Python's posix.system, which is no tensor, storage or container; nothing was run"},
        {"legacy_evil.pth", "it wants Python's posix.system"},
        {"evil.pkl", "it wants Python's posix.system"},
        {"zip_module.pth", "it wants Python's torch.nn.modules.linear.Linear"},
        {"legacy_module.pth", "it wants Python's torch.nn.modules.linear.Linear"},
        {"compressed.pth", "\"archive/data.pkl\" is compressed or encrypted"},
        {"damaged.pth", "\"zip/data/0\" is damaged: its checksum is another"},
        {"missing_storage.pth", "the archive has no entry \"archive/data/1\""},
        {"short_storage.pth", "tensor \"conv.weight\": its storage is shorter than it claims"},
        {"no_pickle.pth", "an archive without data.pkl"},
        {"up.pth", "an archive without data.pkl"},
        {"big_endian.pth", "written on a big-endian machine"},
        {"nothing.pth", "cannot be read: No such file or directory"},
        {"", "cannot be read: not a file"},
    };
    unlink("/tmp/ursa-was-here");
    for (size_t i = 0; i < sizeof files / sizeof *files; i++) {
        assert_null(open_file(files[i].name));
        if (!strstr(ursa_error(), files[i].expected) || !strstr(ursa_error(), TORCH_FILES))
            fail_msg("%s: %s", files[i].name, ursa_error());
        ursa_clear_error();
    }
    assert_int_equal(access("/tmp/ursa-was-here", F_OK), -1);
}

/* ---- whatever happens to a file ------------------------------------------------------- */

static size_t read_file(const char *name, uint8_t *data, size_t room)
{
    char path[512];
    snprintf(path, sizeof path, "%s/%s", TORCH_FILES, name);
    FILE *file = fopen(path, "rb");
    size_t bytes = file ? fread(data, 1, room, file) : 0;
    assert_true(bytes > 0 && bytes < room);
    fclose(file);
    return bytes;
}

static ursa_checkpoint *open_bytes(const uint8_t *data, size_t bytes)
{
    FILE *file = fopen(temporary, "wb");
    assert_true(file && fwrite(data, 1, bytes, file) == bytes && fclose(file) == 0);
    return ursa_checkpoint_open(temporary);
}

/* Cut off anywhere, it is refused; with any byte changed it is read or refused, and
 * whatever is read can be. */
static void test_damage(void **state)
{
    (void)state;
    static uint8_t data[8192];
    const char *const names[] = {"zip_views.pth", "legacy_views.pth"};
    volatile uint8_t seen = 0;
    for (int n = 0; n < 2; n++) {
        size_t bytes = read_file(names[n], data, sizeof data);
        for (size_t length = 0; length < bytes; length++) {
            assert_null(open_bytes(data, length));
            assert_non_null(ursa_error());
            ursa_clear_error();
        }
        for (size_t at = 0; at < bytes; at++) {
            data[at] ^= (uint8_t)(1 << at % 8);
            ursa_checkpoint *file = open_bytes(data, bytes);
            for (int i = 0; i < ursa_checkpoint_count(file); i++)
                for (size_t b = 0; b < ursa_checkpoint_at(file, i)->bytes; b++)
                    seen = seen ^ ((const uint8_t *)ursa_checkpoint_at(file, i)->data)[b];
            ursa_checkpoint_close(file);
            ursa_clear_error();
            data[at] ^= (uint8_t)(1 << at % 8);
        }
    }
}

/* ---- into modules ------------------------------------------------------------------------- */

static ursa_module *conv(int channels)
{
    return ursa_nn_sequential(ursa_named("conv", ursa_nn_conv2d(channels, 2, 2)));
}

/* The first `count` numbers. */
static void assert_parameter(ursa_module *module, const char *name, int count, const float *expected)
{
    float found[64];
    ursa_tensor *parameter = ursa_find_parameter(module, name);
    assert_true(ursa_read(parameter, URSA_F32, found, ursa_count(parameter)));
    assert_memory_equal(found, expected, (size_t)count * sizeof *expected);
}

/* [O, I, H, W] of 0, 1, 2, … as [O, H, W, I]. */
static const float turned[] = {0, 4, 8, 1, 5, 9, 2, 6, 10, 3, 7, 11, 12, 16, 20, 13, 17, 21, 14, 18, 22, 15, 19, 23};

static void test_load(void **state)
{
    (void)state;
    for (int legacy = 0; legacy < 2; legacy++) {
        ursa_checkpoint *file = open_sound(legacy ? "legacy" : "zip", "");
        ursa_module *module = conv(3);
        assert_true(ursa_load_checkpoint(module, file));
        assert_parameter(module, "conv.weight", 24, turned);
        assert_parameter(module, "conv.bias", 2, (float[]){100, 101});
        ursa_module_free(module);
        ursa_checkpoint_close(file);
    }
}

/* The sum for grey images, the first two times 1.5 for two channels, zeros for more. */
static void test_channels(void **state)
{
    (void)state;
    ursa_checkpoint *file = open_sound("zip", "");
    ursa_module *module = conv(1);
    assert_true(ursa_load_checkpoint(module, file, .adapt_channels = true));
    assert_parameter(module, "conv.weight", 8, (float[]){12, 15, 18, 21, 48, 51, 54, 57});
    ursa_module_free(module);
    module = conv(2);
    assert_true(ursa_load_checkpoint(module, file, .adapt_channels = true));
    assert_parameter(module, "conv.weight", 4, (float[]){0, 6, 1.5f, 7.5f});
    ursa_module_free(module);
    module = conv(4);
    assert_true(ursa_load_checkpoint(module, file, .adapt_channels = true));
    assert_parameter(module, "conv.weight", 8, (float[]){0, 4, 8, 0, 1, 5, 9, 0});
    assert_false(ursa_load_checkpoint(module, file));
    assert_non_null(strstr(ursa_error(), "zip.pth: tensor \"conv.weight\" is [2, 2, 2, 3], expected [2, 2, 2, 4]"));
    ursa_clear_error();
    ursa_module_free(module);
    ursa_checkpoint_close(file);
}

static void test_missing(void **state)
{
    (void)state;
    ursa_checkpoint *file = open_sound("zip", "");
    ursa_module *module =
        ursa_nn_sequential(ursa_named("conv", ursa_nn_conv2d(3, 2, 2)), ursa_named("fc", ursa_nn_linear(2, 5)));
    assert_false(ursa_load_checkpoint(module, file));
    assert_non_null(strstr(ursa_error(), "zip.pth: has no tensor \"fc.weight\", \"fc.bias\"; it has \"conv.weight\", "
                                         "\"conv.bias\", \"bn.num_batches_tracked\""));
    ursa_clear_error();
    /* Left out as a whole, and said so. */
    bool whole = true;
    const char *const head[] = {"fc"};
    assert_true(ursa_load_checkpoint(module, file, .optional = head, .optional_count = 1, .optional_loaded = &whole));
    assert_false(whole);
    assert_parameter(module, "conv.weight", 24, turned);
    ursa_module_free(module);
    ursa_checkpoint_close(file);
}

/* Safetensors: by what the metadata say, else by the shapes. */
static void test_safetensors_layout(void **state)
{
    (void)state;
    float weight[24], ours[24];
    for (int i = 0; i < 24; i++)
        weight[i] = (float)i;
    memcpy(ours, turned, sizeof ours);
    const struct {
        const char *format;
        bool torch;
        int channels; /* 2: the shapes fit both */
    } cases[] = {{"pt", true, 3}, {"ursa-weights", false, 3}, {NULL, true, 3}, {NULL, false, 3}, {NULL, true, 2}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        int c = cases[i].channels;
        ursa_stored_tensor tensors[] = {
            {"conv.weight", URSA_F32, cases[i].torch ? ursa_shape(2, c, 2, 2) : ursa_shape(2, 2, 2, c),
             cases[i].torch ? weight : ours, (size_t)(8 * c) * sizeof(float)},
            {"conv.bias", URSA_F32, ursa_shape(2), weight, 2 * sizeof(float)},
        };
        assert_true(ursa_safetensors_write(temporary, tensors, 2, &(ursa_metadata){"format", cases[i].format},
                                           cases[i].format != NULL));
        ursa_checkpoint *file = ursa_checkpoint_open(temporary);
        assert_string_equal(ursa_checkpoint_format(file), "safetensors");
        ursa_module *module = conv(c);
        assert_true(ursa_load_checkpoint(module, file));
        if (c == 3)
            assert_parameter(module, "conv.weight", 24, turned);
        else
            assert_parameter(module, "conv.weight", 8, (float[]){0, 4, 1, 5, 2, 6, 3, 7});
        ursa_module_free(module);
        ursa_checkpoint_close(file);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_formats),
        cmocka_unit_test(test_types),
        cmocka_unit_test(test_views),
        cmocka_unit_test(test_refusals),
        cmocka_unit_test_setup_teardown(test_damage, make_path, remove_path),
        cmocka_unit_test(test_load),
        cmocka_unit_test(test_channels),
        cmocka_unit_test(test_missing),
        cmocka_unit_test_setup_teardown(test_safetensors_layout, make_path, remove_path),
    };
    return run_unit_tests("checkpoint", tests);
}
