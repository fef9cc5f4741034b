/* test_image_data.c — blocks of images and masks, and loaders of images in one
 * call: folders, names, tables, lists, IDX files. */
#include "../unit.h"
#include "../loaders.h"
#include "pictures.h"

#include <ursa/ursa.h>

/* ---- what the tests look at ------------------------------------------------------ */

#define assert_loaders(loaders, train_items, valid_items, names)                                                       \
    do {                                                                                                               \
        if (!(loaders))                                                                                                \
            fail_msg("%s", error_and_clear());                                                                         \
        assert_int_equal(ursa_dataloader_items((loaders)->train), train_items);                                        \
        assert_int_equal(ursa_dataloader_items((loaders)->valid), valid_items);                                        \
        assert_string_equal(vocab_of(loaders), names);                                                                 \
    } while (0)

/* Ten pictures of each of two classes, 6 × 5 px. */
static folder class_folders(int channels)
{
    folder made = folder_new();
    for (int i = 0; i < 20; i++) {
        char name[32];
        snprintf(name, sizeof name, "%s/%s_%d.png", i % 2 ? "up" : "down", i % 2 ? "up" : "down", i);
        picture_write(&made, name, 6, 5, channels, 10 * i);
    }
    return made;
}

static int channels_of(const ursa_dataloaders *loaders)
{
    return (int)ursa_dataloaders_layout(loaders)->x_shape.dim[2];
}

/* ---- folders ------------------------------------------------------------------------ */

static void test_class_folders(void **state)
{
    (void)state;
    folder made = class_folders(3);
    folder_write(&made, "top.png", "in no class", 11);
    ursa_dataloaders *loaders = ursa_image_dataloaders_from_folder(made.path, .batch_size = 4, .seed = 1);
    assert_loaders(loaders, 16, 4, "down up");
    assert_int_equal(channels_of(loaders), 3);
    ursa_batch batch;
    float x[6][5][3];
    int64_t y = -1;
    assert_true(ursa_dataloader_start(loaders->valid, 0) && ursa_dataloader_next(loaders->valid, &batch));
    assert_int_equal(ursa_dtype_of(batch.x), URSA_F32);
    assert_int_equal(batch.count, 4);
    const char *path = ursa_dataset_path(ursa_dataloader_dataset(loaders->valid), batch.indices[1]);
    int number = atoi(strrchr(path, '_') + 1);
    assert_true(ursa_read(ursa_slice(batch.x, 0, 1, 2, 1), URSA_F32, x, 90) &&
                ursa_read(ursa_slice(batch.y, 0, 1, 2, 1), URSA_I64, &y, 1));
    assert_int_equal(y, number % 2);
    for (int row = 0; row < 6; row++)
        for (int column = 0; column < 5; column++)
            for (int c = 0; c < 3; c++) {
                float expected = (float)picture_pixel(10 * number, row, column, c) / 255;
                assert_true(x[row][column][c] > expected - 1e-6f && x[row][column][c] < expected + 1e-6f);
            }
    ursa_dataloaders_free(loaders);

    loaders = ursa_image_dataloaders_from_folder(made.path, .valid_pct = 0.5, .channels = 1);
    assert_loaders(loaders, 10, 10, "down up");
    assert_int_equal(channels_of(loaders), 1);
    ursa_dataloaders_free(loaders);
    folder_remove(&made);

    made = class_folders(1);
    loaders = ursa_image_dataloaders_from_folder(made.path);
    assert_int_equal(channels_of(loaders), 1);
    ursa_dataloaders_free(loaders);
    picture_write(&made, "down/colour.png", 6, 5, 3, 1);
    loaders = ursa_image_dataloaders_from_folder(made.path);
    assert_int_equal(channels_of(loaders), 3);
    ursa_dataloaders_free(loaders);
    folder_remove(&made);
}

static void test_parts(void **state)
{
    (void)state;
    folder made = folder_new();
    for (int i = 0; i < 12; i++) {
        char name[64];
        snprintf(name, sizeof name, "%s/%s/%d.png", i < 9 ? "train" : "val", i % 3 ? "b" : "a", i);
        picture_write(&made, name, 4, 4, 1, i);
        snprintf(name, sizeof name, "other/c/%d.png", i);
        picture_write(&made, name, 4, 4, 1, i);
    }
    ursa_dataloaders *loaders = ursa_image_dataloaders_from_folder(made.path);
    assert_loaders(loaders, 9, 3, "a b");
    ursa_dataloaders_free(loaders);
    loaders = ursa_image_dataloaders_from_folder(made.path, .valid_pct = 0.5);
    assert_loaders(loaders, 6, 6, "a b");
    ursa_dataloaders_free(loaders);
    loaders = ursa_image_dataloaders_from_folder(made.path, .train = "val", .valid = "train");
    assert_loaders(loaders, 3, 9, "a b");
    ursa_dataloaders_free(loaders);
    folder_remove(&made);
}

static void test_bad_folders(void **state)
{
    (void)state;
    folder made = folder_new();
    assert_fails(ursa_image_dataloaders_from_folder(made.path), "expected a folder of images per class, or IDX files");
    folder_write(&made, "only/text.txt", "x", 1);
    assert_fails(ursa_image_dataloaders_from_folder(made.path), "one class (\"only\")");
    folder_write(&made, "other/text.txt", "x", 1);
    assert_fails(ursa_image_dataloaders_from_folder(made.path), "no image files: expected names that end in .jpg");
    assert_fails(ursa_image_dataloaders_from_folder(folder_path(&made, "only/text.txt")), "not a folder");
    assert_fails(ursa_image_dataloaders_from_folder(folder_path(&made, "gone")), "gone: cannot be read");
    assert_null(ursa_image_dataloaders_from_folder(NULL));
    assert_null(ursa_error());
    folder_remove(&made);
}

/* Lines of the log, one after the other. */
static void keep_line(void *context, ursa_log_level level, const char *line)
{
    char *text = context;
    if (level == URSA_LOG_WARN)
        snprintf(text + strlen(text), 1000 - strlen(text), "%s\n", line);
}

static void test_unreadable_files(void **state)
{
    (void)state;
    char log[1000] = "";
    folder made = class_folders(1);
    folder_write(&made, "down/text.png", "this is no picture", 18);
    folder_write(&made, "up/empty.jpg", "", 0);
    ursa_set_log(URSA_LOG_WARN, keep_line, log);
    ursa_dataloaders *loaders = ursa_image_dataloaders_from_folder(made.path);
    ursa_set_log(URSA_LOG_SILENT, NULL, NULL);
    assert_int_equal(ursa_dataloader_items(loaders->train) + ursa_dataloader_items(loaders->valid), 20);
    assert_non_null(strstr(log, "down/text.png: not an image that can be read"));
    assert_non_null(strstr(log, "up/empty.jpg: empty: expected an image, found 0 bytes"));
    assert_int_equal(loaders->skipped, 2);
    ursa_dataloaders_free(loaders);
    assert_fails(ursa_image_dataloaders_from_folder(made.path, .strict = true), "text.png: not an image");
    folder_remove(&made);

    made = folder_new();
    folder_write(&made, "a/1.png", "x", 1);
    folder_write(&made, "b/2.png", "y", 1);
    assert_fails(ursa_image_dataloaders_from_folder(made.path, .valid_pct = 0.5), "none of the 2 files can be read");
    folder_remove(&made);
}

/* A file whose head is fine is found out when it is read: reported once, skipped
 * in every epoch. */
static void test_truncated_file(void **state)
{
    (void)state;
    char log[1000] = "";
    folder made = class_folders(1);
    if (truncate(folder_path(&made, "down/down_4.png"), 50) != 0)
        fail();
    ursa_dataloaders *loaders = ursa_image_dataloaders_from_folder(made.path, .batch_size = 3, .valid_pct = 0.1);
    assert_loaders(loaders, 18, 2, "down up");
    ursa_set_log(URSA_LOG_WARN, keep_line, log);
    ursa_batch batch;
    for (int epoch = 0; epoch < 2; epoch++)
        for (int part = 0; part < 2; part++) {
            ursa_dataloader *loader = part ? loaders->valid : loaders->train;
            assert_true(ursa_dataloader_start(loader, epoch));
            while (ursa_dataloader_next(loader, &batch))
                ;
            assert_null(ursa_error());
        }
    ursa_set_log(URSA_LOG_SILENT, NULL, NULL);
    assert_int_equal(ursa_dataloader_skipped(loaders->train) + ursa_dataloader_skipped(loaders->valid), 2);
    const char *first = strstr(log, "down_4.png");
    assert_non_null(first);
    assert_null(strstr(first + strlen("down_4.png: "), "skipped"));
    ursa_dataloaders_free(loaders);
    folder_remove(&made);
}

static void test_sizes_that_differ(void **state)
{
    (void)state;
    folder made = class_folders(1);
    picture_write(&made, "up/zlarge.png", 9, 5, 1, 0);
    ursa_dataloaders *loaders = ursa_image_dataloaders_from_folder(made.path, .batch_size = 21, .valid_pct = 0.05);
    ursa_batch batch;
    bool more = true;
    for (int part = 0; part < 2 && more; part++) {
        ursa_dataloader *loader = part ? loaders->valid : loaders->train;
        more = ursa_dataloader_start(loader, 0) && ursa_dataloader_next(loader, &batch);
    }
    assert_fails(more, "zlarge.png: its input is u8 [9, 5, 1], and that of the first item u8 [6, 5, 1]");
    ursa_dataloaders_free(loaders);
    folder_remove(&made);
}

/* ---- names, tables, lists ---------------------------------------------------------------- */

static const char *even_or_odd(void *context, const char *name)
{
    ++*(int *)context;
    const char *digit = strchr(name, '.') - 1;
    return (*digit - '0') % 2 ? "odd" : "even";
}

static void test_names(void **state)
{
    (void)state;
    int calls = 0;
    folder made = class_folders(1);
    ursa_dataloaders *loaders = ursa_image_dataloaders_from_name_func(made.path, even_or_odd, &calls);
    assert_loaders(loaders, 16, 4, "even odd");
    assert_int_equal(calls, 20);
    ursa_dataloaders_free(loaders);
    loaders = ursa_image_dataloaders_from_path_func(made.path, even_or_odd, &calls, .valid_pct = 0.25);
    assert_loaders(loaders, 15, 5, "even odd");
    ursa_dataloaders_free(loaders);
    loaders = ursa_image_dataloaders_from_name_re(made.path, "^(..).*png$");
    assert_loaders(loaders, 16, 4, "do up");
    ursa_dataloaders_free(loaders);
    loaders = ursa_image_dataloaders_from_path_re(made.path, "/([a-z]+)/[^/]+$");
    assert_loaders(loaders, 16, 4, "down up");
    ursa_dataloaders_free(loaders);
    assert_fails(ursa_image_dataloaders_from_name_re(made.path, "^(x)"), "down/down_0.png: regex_label: \"^(x)\"");
    folder_remove(&made);
}

static folder planet(void)
{
    static const char csv[] = "image,tags,size,bright,dark,held\n"
                              "p0,clear primary,1.5,1,0,False\n"
                              "p1,cloudy,2.5,0,1,False\n"
                              "p2,clear,3.5,1,0,False\n"
                              "p3,clear road primary,4.5,0,0,True\n"
                              "p4,,5.5,1,1,True\n";
    folder made = folder_new();
    folder_write(&made, "labels.csv", csv, sizeof csv - 1);
    for (int i = 0; i < 5; i++) {
        char name[32];
        snprintf(name, sizeof name, "jpg/p%d.png", i);
        picture_write(&made, name, 4, 4, 3, i);
    }
    return made;
}

static void test_tables(void **state)
{
    (void)state;
    folder made = planet();
    ursa_dataloaders *loaders =
        ursa_image_dataloaders_from_csv(made.path, "labels.csv", .folder = "jpg", .suffix = ".png", .label_delim = " ",
                                        .valid_column = "held", .batch_size = 3);
    assert_loaders(loaders, 3, 2, "clear cloudy primary road");
    assert_int_equal(ursa_dataloaders_layout(loaders)->y_kind, URSA_KIND_MULTI_CATEGORY);
    assert_int_equal(ursa_dataloaders_outputs(loaders), 4);
    ursa_dataloaders_free(loaders);

    ursa_frame *frame = ursa_read_csv(folder_path(&made, "labels.csv"));
    loaders = ursa_image_dataloaders_from_frame(frame, made.path, .folder = "jpg", .suffix = ".png",
                                                .label_column = "size", .y_block = ursa_regression_block());
    assert_loaders(loaders, 4, 1, "");
    assert_int_equal(ursa_dataloaders_outputs(loaders), 1);
    /* Rows of another table are labelled by nothing, and found in the same way. */
    ursa_dataloader *test = ursa_test_loader_of_frame(loaders, frame, made.path);
    assert_int_equal(ursa_dataloader_items(test), 5);
    const char *path = ursa_dataset_path(ursa_dataloader_dataset(test), 2);
    assert_string_equal(path, folder_path(&made, "jpg/p2.png"));
    ursa_dataloader_free(test);
    test = ursa_test_loader(loaders, (const char *[]){path = folder_path(&made, "jpg/p4.png")}, 1);
    ursa_batch batch;
    assert_true(ursa_dataloader_start(test, 0) && ursa_dataloader_next(test, &batch));
    assert_true(batch.count == 1 && !batch.y);
    ursa_dataloader_free(test);
    ursa_dataloaders_free(loaders);

    loaders = ursa_image_dataloaders_from_frame(frame, made.path, .folder = "jpg", .suffix = ".png",
                                                .label_columns = ursa_names("bright", "dark"),
                                                .y_block = ursa_multi_category_block(.encoded = true));
    assert_loaders(loaders, 4, 1, "bright dark");
    ursa_dataloaders_free(loaders);
    loaders =
        ursa_image_dataloaders_from_frame(frame, made.path, .folder = "jpg", .suffix = ".png",
                                          .label_columns = ursa_names("size", "size"), .y_block = ursa_point_block());
    assert_int_equal(ursa_dataloaders_layout(loaders)->y_kind, URSA_KIND_POINTS);
    ursa_dataloaders_free(loaders);
    assert_fails(ursa_image_dataloaders_from_frame(frame, made.path, .folder = "jpg", .label_column = "size"),
                 "none of the 5 files can be read");
    assert_fails(ursa_image_dataloaders_from_frame(frame, made.path, .folder = "jpg", .suffix = ".png"),
                 "row 5: column \"tags\": the cell is missing");
    assert_fails(ursa_image_dataloaders_from_csv(made.path, "gone.csv"), "gone.csv");
    ursa_frame_free(frame);
    folder_remove(&made);
}

static void test_lists(void **state)
{
    (void)state;
    folder made = planet();
    const char *names[] = {"jpg/p0.png", "jpg/p1.png", "jpg/p2.png", "jpg/p3.png", "jpg/p4.png"};
    const char *labels[] = {"a", "b", "a", "b", "c"};
    ursa_dataloaders *loaders = ursa_image_dataloaders_from_lists(made.path, names, labels, 5);
    assert_loaders(loaders, 4, 1, "a b c");
    ursa_dataloaders_free(loaders);
    const char *several[] = {"a b", "b", "a", "", "c a"};
    loaders = ursa_image_dataloaders_from_lists(made.path, names, several, 5, .label_delim = " ");
    assert_loaders(loaders, 4, 1, "a b c");
    assert_int_equal(ursa_dataloaders_layout(loaders)->y_kind, URSA_KIND_MULTI_CATEGORY);
    ursa_dataloaders_free(loaders);
    folder_remove(&made);
}

/* ---- IDX ------------------------------------------------------------------------------------ */

static void write_idx(const folder *where, const char *part, int count, int labels)
{
    uint8_t images[16 + 40 * 6], classes[8 + 40];
    char name[64];
    memcpy(images, (uint8_t[]){0, 0, 8, 3, 0, 0, 0, (uint8_t)count, 0, 0, 0, 3, 0, 0, 0, 2}, 16);
    memcpy(classes, (uint8_t[]){0, 0, 8, 1, 0, 0, 0, (uint8_t)labels}, 8);
    for (int i = 0; i < count * 6; i++)
        images[16 + i] = (uint8_t)(i % 251);
    for (int i = 0; i < labels; i++)
        classes[8 + i] = (uint8_t)(i % 3);
    snprintf(name, sizeof name, "%s-images-idx3-ubyte", part);
    folder_write(where, name, images, 16 + 6 * (size_t)count);
    snprintf(name, sizeof name, "%s-labels-idx1-ubyte", part);
    folder_write(where, name, classes, 8 + (size_t)labels);
}

static void test_idx(void **state)
{
    (void)state;
    folder made = folder_new();
    write_idx(&made, "train", 30, 30);
    ursa_dataloaders *loaders = ursa_image_dataloaders_from_folder(made.path);
    assert_loaders(loaders, 24, 6, "0 1 2");
    ursa_dataloaders_free(loaders);

    write_idx(&made, "t10k", 9, 9);
    folder_write(&made, "classes.txt", "shirt\r\n\nshoe\nbag\n", 17);
    loaders = ursa_image_dataloaders_from_folder(made.path, .batch_size = 9);
    assert_loaders(loaders, 30, 9, "shirt shoe bag");
    const ursa_item_layout *layout = ursa_dataloaders_layout(loaders);
    assert_true(layout->x_shape.dim[0] == 3 && layout->x_shape.dim[1] == 2 && layout->x_shape.dim[2] == 1);
    uint8_t x[6];
    int64_t y;
    assert_true(ursa_dataset_get(ursa_dataloader_dataset(loaders->valid), 4, NULL, x, &y));
    assert_int_equal(y, 1);
    for (int i = 0; i < 6; i++)
        assert_int_equal(x[i], 24 + i);
    assert_int_equal(ursa_dataset_label(ursa_dataloader_dataset(loaders->train), 29), 2);
    ursa_dataloaders_free(loaders);

    loaders = ursa_image_dataloaders_from_idx(made.path, .valid_pct = 0.5);
    assert_loaders(loaders, 20, 19, "shirt shoe bag");
    ursa_dataloaders_free(loaders);

    loaders = ursa_image_dataloaders_from_idx(made.path, .channels = 3);
    assert_int_equal(channels_of(loaders), 3);
    uint8_t colours[18];
    assert_true(ursa_dataset_get(ursa_dataloader_dataset(loaders->valid), 0, NULL, colours, &y));
    for (int i = 0; i < 18; i++)
        assert_int_equal(colours[i], i / 3);
    ursa_dataloaders_free(loaders);

    folder_write(&made, "classes.txt", "shirt\nshoe\n", 11);
    assert_fails(ursa_image_dataloaders_from_folder(made.path), "2 names for the 3 classes");
    write_idx(&made, "train", 30, 29);
    assert_fails(ursa_image_dataloaders_from_folder(made.path), "29 labels for the 30 images");
    remove(folder_path(&made, "train-labels-idx1-ubyte"));
    assert_fails(ursa_image_dataloaders_from_folder(made.path), "and no train-labels-idx1-ubyte[.gz]");
    folder_remove(&made);
}

/* ---- masks ---------------------------------------------------------------------------------------- */

static bool mask_beside(void *context, const ursa_data_item *item, ursa_found *found)
{
    (void)context;
    char path[300];
    snprintf(path, sizeof path, "%.*s-mask.png", (int)(strlen(item->path) - 4), item->path);
    return ursa_found_add_text(found, path);
}

static bool only_pictures(void *context, const ursa_source *source, ursa_item_list *list)
{
    (void)context;
    char path[300];
    for (int i = 0; i < 5; i++) {
        snprintf(path, sizeof path, "%s/%d.png", source->path, i);
        if (!ursa_item_list_add(list, &(ursa_data_item){.path = path}))
            return false;
    }
    return true;
}

static void test_masks(void **state)
{
    (void)state;
    folder made = folder_new();
    for (int i = 0; i < 5; i++) {
        char name[32];
        snprintf(name, sizeof name, "%d.png", i);
        picture_write(&made, name, 4, 3, 3, i);
        snprintf(name, sizeof name, "%d-mask.png", i);
        picture_write(&made, name, 4, 3, 1, i);
    }
    ursa_datablock *block =
        ursa_datablock_new(.blocks = {ursa_image_block(), ursa_mask_block(.vocab = ursa_names("sky", "road", "car"))},
                           .get_items = ursa_get_by_function(only_pictures, NULL),
                           .get_y = ursa_label_function(mask_beside, NULL));
    ursa_dataloaders *loaders = ursa_dataloaders_new(block, made.path, .batch_size = 2);
    assert_loaders(loaders, 4, 1, "sky road car");
    assert_int_equal(ursa_dataloaders_outputs(loaders), 3);
    ursa_batch batch;
    int64_t y[12];
    assert_true(ursa_dataloader_start(loaders->valid, 0) && ursa_dataloader_next(loaders->valid, &batch));
    int number = atoi(strrchr(ursa_dataset_path(ursa_dataloader_dataset(loaders->valid), 0), '/') + 1);
    assert_int_equal(ursa_dtype_of(batch.y), URSA_I64);
    assert_true(ursa_read(batch.y, URSA_I64, y, 12));
    for (int i = 0; i < 12; i++)
        assert_int_equal(y[i], picture_pixel(number, i / 3, i % 3, 0));
    ursa_dataloaders_free(loaders);
    picture_write(&made, "2-mask.png", 4, 3, 3, 0);
    assert_fails(ursa_dataloaders_new(block, made.path, .strict = true), "2-mask.png: a picture with colours");
    ursa_datablock_free(block);
    folder_remove(&made);
}

static void test_summary(void **state)
{
    (void)state;
    folder made = class_folders(3);
    char expected[1000];
    ursa_datablock *block = ursa_datablock_new(.blocks = {ursa_image_block(), ursa_category_block()},
                                               .get_y = ursa_parent_label, .get_items = ursa_get_image_files);
    char *text = ursa_datablock_summary_text(block, &(ursa_source){.path = made.path});
    snprintf(expected, sizeof expected,
             "Blocks: image → category\n"
             "Looking in %s\n"
             "Items: 20, found by image files\n"
             "Split by random_splitter: 16 for training, 4 for validation\n"
             "Vocabulary of category: 2: down, up\n"
             "One item: %s/down/down_10.png\n"
             "  get_x (item): \"%s/down/down_10.png\"\n"
             "  get_y (parent_label): \"down\"\n"
             "Blocks make of it:\n"
             "  x: image u8 [6, 5, 3], still in its file\n"
             "  y: class i64 []: down\n"
             "Transforms of items: none\n"
             "Transforms of batches: none\n"
             "A batch of one:\n"
             "  x: f32 [1, 6, 5, 3]\n"
             "  y: i64 [1]\n",
             made.path, made.path, made.path);
    assert_string_equal(text, expected);
    free(text);
    ursa_datablock_free(block);
    folder_remove(&made);
}

/* ---- what is random about a picture depends on seed, epoch and item alone --------------------------- */

enum { SIDE = 8, PICTURE = SIDE * SIDE * 3 };

/* Every training picture of an epoch, in the order of the dataset. */
static void collect(const folder *made, int batch_size, int prefetch, int64_t epoch, float *out)
{
    ursa_datablock *block =
        ursa_datablock_new(.blocks = {ursa_image_block(), ursa_category_block()}, .get_items = ursa_get_image_files,
                           .get_y = ursa_parent_label, .item_tfms = ursa_random_resized_crop(SIDE, .min_scale = 0.3),
                           .batch_tfms = {ursa_aug_transforms(.flip_vert = true), ursa_saturation(), ursa_hue(),
                                          ursa_normalize(ursa_imagenet_stats), ursa_random_erasing()});
    ursa_dataloaders *loaders = ursa_dataloaders_new(block, made->path, .batch_size = batch_size, .seed = 3,
                                                     .prefetch = prefetch, .keep_last = true);
    ursa_batch batch;
    assert_true(ursa_dataloader_start(loaders->train, epoch));
    for (;;) {
        ursa_scope *scope = ursa_scope_begin();
        bool more = ursa_dataloader_next(loaders->train, &batch);
        for (int64_t i = 0; more && i < batch.count; i++)
            assert_true(
                ursa_read(ursa_slice(batch.x, 0, i, i + 1, 1), URSA_F32, out + batch.indices[i] * PICTURE, PICTURE));
        ursa_scope_end(scope);
        if (!more)
            break;
    }
    assert_null(ursa_error());
    ursa_dataloaders_free(loaders);
    ursa_datablock_free(block);
}

static void test_augmentation(void **state)
{
    (void)state;
    static float first[16 * PICTURE], again[16 * PICTURE];
    folder made = class_folders(3);
    collect(&made, 16, 2, 0, first);
    for (int threads = 1; threads <= 2; threads++) {
        ursa_set_threads(threads);
        for (int batch = 1; batch <= 7; batch += 3) {
            memset(again, 0, sizeof again);
            collect(&made, batch, 3 - threads + batch, 0, again);
            assert_memory_equal(first, again, sizeof first);
        }
    }
    ursa_set_threads(0);
    collect(&made, 16, 2, 1, again);
    for (int i = 0; i < 16; i++)
        assert_memory_not_equal(first + i * PICTURE, again + i * PICTURE, PICTURE * sizeof *first);
    folder_remove(&made);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_class_folders),  cmocka_unit_test(test_parts),
        cmocka_unit_test(test_bad_folders),    cmocka_unit_test(test_unreadable_files),
        cmocka_unit_test(test_truncated_file), cmocka_unit_test(test_sizes_that_differ),
        cmocka_unit_test(test_names),          cmocka_unit_test(test_tables),
        cmocka_unit_test(test_lists),          cmocka_unit_test(test_idx),
        cmocka_unit_test(test_masks),          cmocka_unit_test(test_summary),
        cmocka_unit_test(test_augmentation),
    };
    return run_unit_tests("image_data", tests);
}
