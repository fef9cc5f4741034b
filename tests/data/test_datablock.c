/* test_datablock.c — finding, splitting and labelling items, blocks of targets,
 * and the loaders they make. */
#include "../folder.h"
#include "../unit.h"

#include <ursa/ursa.h>

#include <math.h>

/* ---- what the tests look at ---------------------------------------------------- */

/* The names of classes, joined by spaces. */
static const char *vocab_of(const ursa_dataloaders *loaders)
{
    static char text[256];
    const char *const *names = NULL;
    int count = ursa_dataloaders_vocab(loaders, &names);
    text[0] = '\0';
    for (int i = 0; i < count; i++)
        snprintf(text + strlen(text), sizeof text - strlen(text), "%s%s", i ? " " : "", names[i]);
    return text;
}

static const char *error_and_clear(void)
{
    static char text[400];
    snprintf(text, sizeof text, "%s", ursa_error() ? ursa_error() : "no error");
    ursa_clear_error();
    return text;
}

#define assert_fails(expression, expected)                                                                             \
    do {                                                                                                               \
        assert_false(expression);                                                                                      \
        const char *said = error_and_clear();                                                                          \
        if (!strstr(said, expected))                                                                                   \
            fail_msg("\"%s\" is not in \"%s\"", expected, said);                                                       \
    } while (0)

enum { ROWS = 12 };

/* Rows with x = 0 … 11, three classes, several labels, one-hot columns, a split
 * and missing cells in "hole". */
static ursa_frame *table(void)
{
    static int64_t x[ROWS], a[ROWS], b[ROWS];
    static const char *class[ROWS], *tags[ROWS], *hole[ROWS], *size[ROWS];
    static bool valid[ROWS];
    static double half[ROWS];
    for (int i = 0; i < ROWS; i++) {
        x[i] = i;
        half[i] = i / 2.0;
        class[i] = (const char *[]){"dog", "cat", "eel"}[i % 3];
        tags[i] = (const char *[]){"wet cold", "cold", "wet", NULL}[i % 4];
        size[i] = (const char *[]){"10", "9", "100"}[i % 3];
        hole[i] = i == 7 ? NULL : "here";
        a[i] = i % 2;
        b[i] = i % 3 == 0;
        valid[i] = i >= 8;
    }
    return ursa_frame_new(ROWS, {"x", .integers = x}, {"half", .numbers = half}, {"class", .texts = class},
                          {"tags", .texts = tags}, {"size", .texts = size}, {"hole", .texts = hole},
                          {"a", .integers = a}, {"b", .integers = b}, {"is_valid", .bools = valid});
}

/* Loaders of the table with a target of one kind. */
static ursa_dataloaders *of_table(ursa_block target, ursa_getter get_y)
{
    ursa_frame *frame = table();
    ursa_datablock *block = ursa_datablock_new(.blocks = {ursa_regression_block(), target}, .get_x = ursa_column("x"),
                                               .get_y = get_y, .splitter = ursa_column_splitter("is_valid"));
    ursa_dataloaders *loaders = ursa_dataloaders_of_frame(block, frame, NULL, .batch_size = 4);
    ursa_datablock_free(block);
    ursa_frame_free(frame);
    return loaders;
}

/* The target of row `row` of the training items, f32. */
static void target_of(ursa_dataloaders *loaders, int64_t row, float *y)
{
    float x;
    assert_true(ursa_dataset_get(ursa_dataloader_dataset(loaders->train), row, NULL, &x, y));
    assert_true(x == (float)row);
}

/* Arrays: x is the item, of class 0 for one item in ten, else 1. */
static ursa_dataset *unbalanced(int64_t count)
{
    float *x = malloc((size_t)count * sizeof *x);
    int64_t *y = malloc((size_t)count * sizeof *y);
    for (int64_t i = 0; i < count; i++) {
        x[i] = (float)i;
        y[i] = i % 10 != 0;
    }
    return ursa_array_dataset(x, y, count, &(ursa_item_layout){.x_dtype = URSA_F32, .y_dtype = URSA_I64});
}

/* ---- finding items ------------------------------------------------------------------ */

static folder some_files(void)
{
    static const char *const names[] = {"top.JPG",    "b/2.png",     "b/1.jpeg",     "a/3.png",    "a/.hidden.png",
                                        ".git/4.png", "a/notes.txt", "a/deep/5.gif", "c.png/6.bmp"};
    folder made = folder_new();
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        folder_write(&made, names[i], "x", 1);
    return made;
}

/* The first field of what is found, joined by spaces, without the folder's path. */
struct listing {
    char text[512];
    size_t root;
    int count;
};

static bool note_item(void *context, const ursa_data_item *item, ursa_found *found)
{
    struct listing *listing = context;
    snprintf(listing->text + strlen(listing->text), sizeof listing->text - strlen(listing->text), "%s%s",
             listing->count++ ? " " : "", item->path + listing->root);
    return ursa_found_add_number(found, listing->count);
}

static const char *list(const folder *where, ursa_lister lister)
{
    static struct listing listing;
    ursa_dataset *train, *valid;
    listing = (struct listing){.root = strlen(where->path) + 1};
    ursa_datablock *block =
        ursa_datablock_new(.blocks = {ursa_regression_block()}, .get_items = lister,
                           .get_x = ursa_label_function(note_item, &listing), .splitter = ursa_no_splitter);
    bool made = ursa_datablock_datasets(block, where->path, &train, &valid);
    assert_null(valid);
    if (made)
        assert_int_equal(ursa_dataset_count(train), listing.count);
    ursa_dataset_free(train);
    ursa_datablock_free(block);
    return made ? listing.text : NULL;
}

static void test_listers(void **state)
{
    (void)state;
    folder made = some_files();
    assert_int_equal(mkfifo(folder_path(&made, "a/pipe.png"), 0600), 0);
    assert_string_equal(list(&made, ursa_get_image_files), "a/3.png a/deep/5.gif b/1.jpeg b/2.png c.png/6.bmp top.JPG");
    assert_string_equal(list(&made, ursa_get_files()),
                        "a/3.png a/deep/5.gif a/notes.txt b/1.jpeg b/2.png c.png/6.bmp top.JPG");
    assert_string_equal(list(&made, ursa_get_files(.extensions = ursa_names(".txt", ".gif"))),
                        "a/deep/5.gif a/notes.txt");
    assert_string_equal(list(&made, ursa_get_files(.folders = ursa_names("b", "c.png"))),
                        "b/1.jpeg b/2.png c.png/6.bmp");
    assert_string_equal(list(&made, ursa_get_files(.not_recursive = true)), "top.JPG");
    assert_fails(list(&made, ursa_get_files(.extensions = ursa_names(".wav"))),
                 "no files: expected names that end in .wav");
    folder_remove(&made);
    assert_fails(list(&made, ursa_get_image_files), "cannot be read");
    ursa_datablock *block = ursa_datablock_new(.blocks = {ursa_regression_block()});
    assert_fails(ursa_dataloaders_new_opt(block, &(ursa_source){.items = (ursa_data_item[1]){{0}}},
                                          &(ursa_dataloaders_options){0}),
                 "there are no items");
    ursa_datablock_free(block);
}

static bool three_items(void *context, const ursa_source *source, ursa_item_list *items)
{
    (void)context;
    for (int i = 0; i < 3; i++) {
        char path[300];
        snprintf(path, sizeof path, "%s/%d", source->path, i);
        if (!ursa_item_list_add(items, &(ursa_data_item){.path = path}))
            return false;
    }
    return true;
}

static void test_own_lister(void **state)
{
    (void)state;
    folder made = folder_new();
    assert_string_equal(list(&made, ursa_get_by_function(three_items, NULL)), "0 1 2");
    folder_remove(&made);
}

/* ---- splitters ------------------------------------------------------------------------- */

/* The part of each item, as a text of t, v and -. */
static const char *split(ursa_splitter splitter, const char *const *paths, int64_t count)
{
    static char text[128];
    ursa_data_item items[100];
    ursa_part parts[100] = {0};
    for (int64_t i = 0; i < count; i++)
        items[i] = (ursa_data_item){.path = paths ? paths[i] : NULL};
    if (!splitter.split(&splitter, items, count, parts))
        return NULL;
    for (int64_t i = 0; i < count; i++)
        text[i] = "tv-"[parts[i]];
    text[count] = '\0';
    return text;
}

static void test_random_splitter(void **state)
{
    (void)state;
    char first[128], other[128];
    int held_out = 0, moved = 0;
    snprintf(first, sizeof first, "%s", split(ursa_random_splitter(.valid_pct = 0.3, .seed = 1), NULL, 99));
    snprintf(other, sizeof other, "%s", split(ursa_random_splitter(.valid_pct = 0.3, .seed = 2), NULL, 99));
    assert_string_equal(first, split(ursa_random_splitter(.valid_pct = 0.3, .seed = 1), NULL, 99));
    for (int i = 0; i < 99; i++) {
        held_out += first[i] == 'v';
        moved += first[i] != other[i];
    }
    assert_int_equal(held_out, 29);
    assert_true(moved > 20);
    held_out = 0;
    for (const char *part = split(ursa_random_splitter(), NULL, 10); *part; part++)
        held_out += *part == 'v';
    assert_int_equal(held_out, 2);
    /* The same items as ursa_random_split() holds out. */
    ursa_dataset *whole = unbalanced(99), *train, *valid;
    assert_true(ursa_random_split(whole, 0.3, 1, &train, &valid));
    for (int64_t i = 0; i < ursa_dataset_count(valid); i++) {
        float x;
        int64_t y;
        assert_true(ursa_dataset_get(valid, i, NULL, &x, &y) && first[(int)x] == 'v');
    }
    ursa_dataset_free(whole);
    ursa_dataset_free(train);
    ursa_dataset_free(valid);
    assert_fails(split(ursa_random_splitter(), NULL, 4), "4 items are too few to hold out 0.2");
    assert_fails(split(ursa_random_splitter(.valid_pct = 1), NULL, 4), "valid_pct is 1");
}

static void test_folder_splitters(void **state)
{
    (void)state;
    static const char *const paths[] = {"data/train/cat/1", "data/valid/cat/2", "data/test/cat/3",
                                        "train/dog/4",      "data/train/5",     "data/xtrain/dog/6"};
    assert_string_equal(split(ursa_grandparent_splitter(), paths, 6), "tv-t--");
    assert_string_equal(split(ursa_grandparent_splitter(.valid = "test"), paths, 6), "t-vt--");
    assert_fails(split(ursa_grandparent_splitter(.valid = "val"), paths, 6), "in the folder \"val\"");
    assert_fails(split(ursa_grandparent_splitter(.train = "nothing"), paths, 6), "in the folder \"nothing\"");
}

static ursa_part by_first_letter(void *context, const ursa_data_item *item)
{
    return *item->path == *(const char *)context ? URSA_PART_VALID : URSA_PART_TRAIN;
}

static void test_listed_splitters(void **state)
{
    (void)state;
    static const char *const paths[] = {"img/a.png", "img/b.png", "other/b.png", "c.png"};
    static const char lines[] = "b.png\r\n\nc.png\n", one[] = "img/b.png", none[] = "z.png\n";
    folder made = folder_new();
    folder_write(&made, "valid.txt", lines, sizeof lines - 1);
    folder_write(&made, "one.txt", one, sizeof one - 1);
    folder_write(&made, "none.txt", none, sizeof none - 1);
    assert_string_equal(split(ursa_file_splitter(folder_path(&made, "valid.txt")), paths, 4), "tvvv");
    assert_string_equal(split(ursa_file_splitter(folder_path(&made, "one.txt")), paths, 4), "tvtt");
    assert_fails(split(ursa_file_splitter(folder_path(&made, "none.txt")), paths, 4), "none of the 1 names");
    assert_fails(split(ursa_file_splitter(folder_path(&made, "gone.txt")), paths, 4), "gone.txt: cannot be read");
    folder_remove(&made);
    assert_string_equal(split(ursa_index_splitter(((int64_t[]){3, 0}), 2), paths, 4), "vttv");
    assert_fails(split(ursa_index_splitter(((int64_t[]){1, 4}), 2), paths, 4),
                 "index 4 at position 1 is outside 0 … 3");
    assert_string_equal(split(ursa_function_splitter(by_first_letter, "o"), paths, 4), "ttvt");
    assert_string_equal(split(ursa_no_splitter, paths, 4), "tttt");
    assert_string_equal(split(ursa_all_valid_splitter, paths, 4), "vvvv");
    assert_fails(split(ursa_column_splitter("is_valid"), paths, 4), "items are files");
}

static void test_column_splitter(void **state)
{
    (void)state;
    ursa_dataloaders *loaders = of_table(ursa_category_block(), ursa_column("class"));
    assert_int_equal(ursa_dataloader_items(loaders->train), 8);
    assert_int_equal(ursa_dataloader_items(loaders->valid), 4);
    ursa_dataloaders_free(loaders);
    ursa_frame *frame = table();
    ursa_datablock *block = ursa_datablock_new(.blocks = {ursa_regression_block()}, .get_x = ursa_column("x"),
                                               .splitter = ursa_column_splitter("class"));
    assert_fails(ursa_dataloaders_of_frame(block, frame, NULL),
                 "column \"class\", row 1: \"dog\" is neither true nor false");
    ursa_datablock_free(block);
    block = ursa_datablock_new(.blocks = {ursa_regression_block()}, .get_x = ursa_column("x"),
                               .splitter = ursa_column_splitter("nothing"));
    assert_fails(ursa_dataloaders_of_frame(block, frame, NULL), "nothing");
    ursa_datablock_free(block);
    ursa_frame_free(frame);
}

/* ---- getters ------------------------------------------------------------------------------ */

/* What a getter finds, joined by |; NULL after an error. */
static const char *find(ursa_getter getter, const ursa_data_item *item)
{
    static char text[256];
    ursa_found found = {0};
    bool got = getter.get(&getter, item, &found);
    text[0] = '\0';
    for (int i = 0; i < found.text_count; i++) {
        snprintf(text + strlen(text), sizeof text - strlen(text), "%s%s", i ? "|" : "", found.texts[i]);
        free(found.texts[i]);
    }
    free(found.texts);
    free(found.numbers);
    return got ? text : NULL;
}

static const char *first_letters(void *context, const char *name)
{
    static char label[8];
    snprintf(label, sizeof label, "%.*s", *(const int *)context, name);
    return *name == 'z' ? NULL : label;
}

static void test_name_getters(void **state)
{
    (void)state;
    int letters = 3;
    const ursa_data_item beagle = {.path = "pets/dogs/great_dane_17.jpg"}, bare = {.path = "z.jpg"};
    assert_string_equal(find(ursa_parent_label, &beagle), "dogs");
    assert_fails(find(ursa_parent_label, &bare), "in no folder");
    assert_string_equal(find(ursa_regex_label("(.+)_\\d+.jpg$"), &beagle), "great_dane");
    assert_string_equal(find(ursa_regex_label("(?P<kind>[^/]+)/[^/]+$", .whole_path = true), &beagle), "dogs");
    assert_fails(find(ursa_regex_label("^(\\d+)$"), &beagle), "is not found in \"great_dane_17.jpg\"");
    assert_fails(find(ursa_regex_label("dane"), &beagle), "no group");
    assert_fails(find(ursa_regex_label("(dane"), &beagle), "\"(dane\" is no regular expression");
    assert_string_equal(find(ursa_name_label(first_letters, &letters), &beagle), "gre");
    assert_string_equal(find(ursa_name_label(first_letters, &letters, .whole_path = true), &beagle), "pet");
    assert_fails(find(ursa_name_label(first_letters, &letters), &bare), "no label for \"z.jpg\"");
    assert_string_equal(find(ursa_item_label, &(ursa_data_item){.label = "cat"}), "cat");
    assert_string_equal(find(ursa_regex_label("(.+)_\\d+", .delim = "_", .suffix = "!"), &beagle), "great!|dane!");
    ursa_getter several = ursa_item_label;
    several.delim = ", ";
    assert_string_equal(find(several, &(ursa_data_item){.label = ", cat, , dog,eel, "}), "cat|dog,eel");
    assert_fails(find(ursa_item_label, &bare), "the source gives no label");
}

static void test_column_getters(void **state)
{
    (void)state;
    ursa_frame *frame = table();
    const ursa_data_item first = {.frame = frame, .row = 0}, holed = {.frame = frame, .row = 7}, file = {.path = "a/b"};
    assert_string_equal(find(ursa_column("class"), &first), "dog");
    assert_string_equal(find(ursa_column("class", .prefix = "img/", .suffix = ".jpg"), &first), "img/dog.jpg");
    assert_string_equal(find(ursa_column("tags", .delim = " "), &first), "wet|cold");
    assert_string_equal(find(ursa_column("tags", .delim = " "), &holed), "");
    assert_string_equal(find(ursa_columns(ursa_names("x", "class", "a")), &first), "0|dog|0");
    assert_fails(find(ursa_column("hole"), &holed), "column \"hole\": the cell is missing");
    assert_fails(find(ursa_column("hule"), &first), "hule");
    assert_fails(find(ursa_column("class"), &file), "items are files, not rows of a frame");
    ursa_frame_free(frame);
}

/* ---- blocks ---------------------------------------------------------------------------------- */

static void test_category(void **state)
{
    (void)state;
    ursa_dataloaders *loaders = of_table(ursa_category_block(), ursa_column("class"));
    assert_string_equal(vocab_of(loaders), "cat dog eel");
    assert_int_equal(ursa_dataloaders_outputs(loaders), 3);
    ursa_dataset *train = ursa_dataloader_dataset(loaders->train);
    assert_int_equal(ursa_dataset_layout(train)->y_kind, URSA_KIND_CATEGORY);
    static const int order[] = {1, 0, 2};
    for (int i = 0; i < 6; i++)
        assert_int_equal(ursa_dataset_label(train, i), order[i % 3]);
    const ursa_block *block = &ursa_datablock_options_of(loaders->block)->blocks[1];
    char *text = ursa_block_text(block, &(int64_t){2}, ursa_shape());
    assert_string_equal(text, "eel");
    free(text);
    ursa_dataloaders_free(loaders);

    loaders = of_table(ursa_category_block(), ursa_column("size"));
    assert_string_equal(vocab_of(loaders), "9 10 100");
    ursa_dataloaders_free(loaders);
    loaders = of_table(ursa_category_block(.vocab = ursa_names("eel", "dog", "cat", "newt")), ursa_column("class"));
    assert_string_equal(vocab_of(loaders), "eel dog cat newt");
    ursa_dataloaders_free(loaders);
    assert_fails(of_table(ursa_category_block(.vocab = ursa_names("dog", "cat")), ursa_column("class")),
                 "row 3: category block: the label \"eel\" is not in the vocabulary (\"dog\", \"cat\")");
    assert_fails(of_table(ursa_category_block(), ursa_column("tags", .delim = " ")),
                 "row 1: category block: an item has 2 labels");
    assert_fails(of_table(ursa_category_block(), ursa_column("hole")), "row 8: column \"hole\": the cell is missing");
}

static void test_multi_category(void **state)
{
    (void)state;
    float y[3] = {-1, -1, -1};
    ursa_dataloaders *loaders = of_table(ursa_multi_category_block(), ursa_column("tags", .delim = " "));
    assert_string_equal(vocab_of(loaders), "cold wet");
    assert_int_equal(ursa_dataloaders_outputs(loaders), 2);
    target_of(loaders, 0, y);
    assert_true(y[0] == 1 && y[1] == 1);
    target_of(loaders, 2, y);
    assert_true(y[0] == 0 && y[1] == 1);
    target_of(loaders, 3, y);
    assert_true(y[0] == 0 && y[1] == 0 && y[2] == -1);
    const ursa_block *block = &ursa_datablock_options_of(loaders->block)->blocks[1];
    char *text = ursa_block_text(block, (float[]){1, 1}, ursa_shape(2));
    assert_string_equal(text, "cold;wet");
    free(text);
    ursa_dataloaders_free(loaders);

    loaders = of_table(ursa_multi_category_block(.encoded = true), ursa_columns(ursa_names("a", "b")));
    assert_string_equal(vocab_of(loaders), "a b");
    target_of(loaders, 3, y);
    assert_true(y[0] == 1 && y[1] == 1);
    target_of(loaders, 4, y);
    assert_true(y[0] == 0 && y[1] == 0);
    ursa_dataloaders_free(loaders);
    assert_fails(of_table(ursa_multi_category_block(.encoded = true), ursa_columns(ursa_names("a", "x"))),
                 "row 3: multi_category block: \"2\" is neither 0 nor 1");
    assert_fails(of_table(ursa_multi_category_block(.encoded = true, .vocab = ursa_names("a")),
                          ursa_columns(ursa_names("a", "b"))),
                 "2 encoded labels; expected one for each of the 1 classes");
}

static void test_numbers(void **state)
{
    (void)state;
    float y[4];
    ursa_dataloaders *loaders = of_table(ursa_regression_block(), ursa_column("half"));
    const ursa_item_layout *layout = ursa_dataloaders_layout(loaders);
    assert_int_equal(layout->y_shape.ndim, 0);
    assert_int_equal(layout->y_kind, URSA_KIND_REGRESSION);
    assert_int_equal(ursa_dataloaders_outputs(loaders), 1);
    target_of(loaders, 3, y);
    assert_true(y[0] == 1.5f);
    ursa_dataloaders_free(loaders);

    loaders = of_table(ursa_regression_block(), ursa_columns(ursa_names("half", "x", "a")));
    assert_int_equal(ursa_dataloaders_outputs(loaders), 3);
    target_of(loaders, 5, y);
    assert_true(y[0] == 2.5f && y[1] == 5 && y[2] == 1);
    ursa_dataloaders_free(loaders);

    loaders = of_table(ursa_point_block(), ursa_columns(ursa_names("half", "x", "a", "b")));
    layout = ursa_dataloaders_layout(loaders);
    assert_int_equal(layout->y_kind, URSA_KIND_POINTS);
    assert_true(layout->y_shape.ndim == 2 && layout->y_shape.dim[0] == 2 && layout->y_shape.dim[1] == 2);
    assert_int_equal(ursa_dataloaders_outputs(loaders), 4);
    const ursa_block *block = &ursa_datablock_options_of(loaders->block)->blocks[1];
    char *text = ursa_block_text(block, (float[]){0.5f, 1, 2, 3}, ursa_shape(2, 2));
    assert_string_equal(text, "(0.5, 1) (2, 3)");
    free(text);
    ursa_dataloaders_free(loaders);
    assert_fails(of_table(ursa_point_block(), ursa_column("x")), "the first item has 1 numbers");
    assert_fails(of_table(ursa_regression_block(), ursa_column("class")),
                 "row 1: regression block: \"dog\" is no number");
    assert_fails(of_table(ursa_regression_block(.count = 2), ursa_column("x")), "an item has 1 numbers; expected 2");
}

static void test_missing_parts(void **state)
{
    (void)state;
    ursa_frame *frame = table();
    assert_fails(ursa_datablock_new(.get_y = ursa_parent_label), "it has no blocks");
    ursa_datablock *block = ursa_datablock_new(.blocks = {ursa_regression_block(), ursa_category_block()});
    assert_fails(ursa_dataloaders_new(block, "/tmp"), "get_items is needed");
    ursa_datablock *with_y = ursa_datablock_with(block, .get_y = ursa_column("class"));
    assert_fails(ursa_dataloaders_of_frame(with_y, frame, NULL), "get_x is needed");
    ursa_datablock_free(with_y);
    ursa_datablock *with_x = ursa_datablock_with(block, .get_x = ursa_column("x"));
    assert_fails(ursa_dataloaders_of_frame(with_x, frame, NULL), "get_y is needed");
    assert_null(ursa_dataloaders_of_frame(NULL, frame, NULL));
    assert_null(ursa_datablock_with(NULL, .get_x = ursa_column("x")));
    assert_null(ursa_error());
    ursa_datablock_free(block);
    ursa_datablock_free(with_x);
    ursa_frame_free(frame);
}

/* ---- with, lifetime ----------------------------------------------------------------------------- */

static bool do_nothing(const ursa_transform *transform, ursa_value *x, ursa_value *y, bool training, ursa_rng *rng)
{
    (void)transform, (void)x, (void)y, (void)training, (void)rng;
    return true;
}

static const ursa_transform_class nothing_class = {.name = "nothing", .item = do_nothing};
static const ursa_transform nothing = {.class = &nothing_class};

static void test_with(void **state)
{
    (void)state;
    char pattern[] = "(x)", name[] = "cat";
    const char *vocab[] = {name, NULL};
    ursa_datablock *block = ursa_datablock_new(.blocks = {ursa_regression_block(), ursa_category_block(.vocab = vocab)},
                                               .get_y = ursa_regex_label(pattern), .item_tfms = {nothing, nothing});
    pattern[1] = name[0] = 'y';
    ursa_datablock *changed = ursa_datablock_with(block, .splitter = ursa_index_splitter(((int64_t[]){5, 6}), 2),
                                                  .item_tfms = nothing, .batch_tfms = {nothing});
    const ursa_datablock_options *old = ursa_datablock_options_of(block), *new = ursa_datablock_options_of(changed);
    assert_string_equal(old->get_y.pattern, "(x)");
    assert_string_equal(new->get_y.pattern, "(x)");
    assert_string_equal(new->blocks[1].vocab[0], "cat");
    assert_ptr_not_equal(old->get_y.pattern, new->get_y.pattern);
    assert_null(old->splitter.split);
    assert_int_equal(new->splitter.indices[1], 6);
    assert_non_null(old->item_tfms[1].class);
    assert_null(new->item_tfms[1].class);
    assert_ptr_equal(new->batch_tfms[0].class, &nothing_class);
    ursa_datablock_free(block);
    assert_string_equal(new->get_y.pattern, "(x)");
    /* `changed` is left to ursa_finish(). */
}

/* ---- samplers -------------------------------------------------------------------------------------- */

/* How often each item comes in some epochs. */
static void count_items(ursa_dataloader *loader, int epochs, int *counts)
{
    for (int epoch = 0; epoch < epochs; epoch++) {
        ursa_batch batch;
        assert_true(ursa_dataloader_start(loader, epoch));
        for (;;) {
            ursa_scope *scope = ursa_scope_begin();
            bool more = ursa_dataloader_next(loader, &batch);
            for (int64_t i = 0; more && i < batch.count; i++)
                counts[batch.indices[i]]++;
            ursa_scope_end(scope);
            if (!more)
                break;
        }
    }
    assert_null(ursa_error());
}

static void test_weights(void **state)
{
    (void)state;
    double weights[40];
    int counts[40] = {0};
    for (int i = 0; i < 40; i++)
        weights[i] = i % 4;
    ursa_dataloader *loader = ursa_dataloader_new(unbalanced(40), .batch_size = 7, .weights = weights, .seed = 3);
    count_items(loader, 1000, counts);
    ursa_dataloader_free(loader);
    for (int i = 0; i < 40; i++) {
        /* 40,000 draws, each with probability p = w / 60: five deviations of the binomial. */
        double p = i % 4 / 60.0, expected = 40000 * p, deviation = sqrt(40000 * p * (1 - p));
        assert_true(fabs(counts[i] - expected) <= 5 * deviation);
    }
    weights[3] = -1;
    assert_fails(ursa_dataloader_new(unbalanced(40), .weights = weights), "weights[3] is -1");
    memset(weights, 0, sizeof weights);
    assert_fails(ursa_dataloader_new(unbalanced(40), .weights = weights), "all weights are 0");
    assert_fails(ursa_dataloader_new(unbalanced(40), .weights = weights, .shuffle = true), "one can be asked for");
}

static void test_balance(void **state)
{
    (void)state;
    int counts[40] = {0}, rare = 0, common = 0;
    ursa_dataloader *loader = ursa_dataloader_new(unbalanced(40), .batch_size = 8, .balance = true, .seed = 3);
    assert_int_equal(ursa_dataloader_batches(loader), 9);
    assert_int_equal(ursa_dataloader_items(loader), 40);
    count_items(loader, 1, counts);
    ursa_dataloader_free(loader);
    for (int i = 0; i < 40; i++) {
        *(i % 10 ? &common : &rare) += counts[i];
        assert_true(i % 10 ? counts[i] == 1 : counts[i] == 9);
    }
    assert_true(rare == 36 && common == 36);
    ursa_dataloaders *loaders = of_table(ursa_regression_block(), ursa_column("x"));
    ursa_dataset *whole = ursa_subset(ursa_dataloader_dataset(loaders->train), (int64_t[]){1}, 1);
    assert_fails(ursa_dataloader_new(whole, .balance = true), "item 0 has none");
    ursa_dataloaders_free(loaders);
}

/* ---- what is random depends on seed, epoch and item alone ------------------------------------------------ */

static bool jitter_item(const ursa_transform *transform, ursa_value *x, ursa_value *y, bool training, ursa_rng *rng)
{
    (void)transform, (void)y;
    *(float *)x->data += training ? (float)ursa_rng_uniform(rng) : 0.5f;
    return true;
}

static bool jitter_batch(const ursa_transform *transform, ursa_transform_batch *batch)
{
    (void)transform;
    float added[64];
    assert_true(batch->count <= 64);
    for (int64_t i = 0; i < batch->count; i++)
        added[i] = 100 * (float)ursa_rng_uniform(&batch->rngs[i]);
    batch->x = ursa_add(batch->x, ursa_from(added, ursa_shape(batch->count)));
    return batch->x != NULL;
}

static const ursa_transform_class jitter_item_class = {.name = "jitter_item", .item = jitter_item};
static const ursa_transform_class jitter_batch_class = {
    .name = "jitter_batch", .batch = jitter_batch, .training_only = true};

/* x of each training item in an epoch, by its index. */
static void collect(ursa_dataloader *loader, int64_t epoch, float *out)
{
    ursa_batch batch;
    assert_true(ursa_dataloader_start(loader, epoch));
    for (;;) {
        ursa_scope *scope = ursa_scope_begin();
        bool more = ursa_dataloader_next(loader, &batch);
        float x[64];
        if (more)
            assert_true(ursa_read(batch.x, URSA_F32, x, batch.count));
        for (int64_t i = 0; more && i < batch.count; i++)
            out[batch.indices[i]] = x[i];
        ursa_scope_end(scope);
        if (!more)
            break;
    }
    assert_null(ursa_error());
}

static ursa_dataloaders *jittered(int batch_size, int prefetch)
{
    ursa_frame *frame = table();
    ursa_datablock *block =
        ursa_datablock_new(.blocks = {ursa_regression_block(), ursa_category_block()}, .get_x = ursa_column("x"),
                           .get_y = ursa_column("class"), .splitter = ursa_column_splitter("is_valid"),
                           .item_tfms = {{.class = &jitter_item_class}},
                           .batch_tfms = {{.class = &jitter_batch_class}});
    ursa_dataloaders *loaders = ursa_dataloaders_of_frame(block, frame, NULL, .batch_size = batch_size, .seed = 5,
                                                          .prefetch = prefetch, .keep_last = true);
    ursa_datablock_free(block);
    ursa_frame_free(frame);
    return loaders;
}

static void test_draws(void **state)
{
    (void)state;
    float first[8], other[8], next[8], fraction[8];
    ursa_dataloaders *loaders = jittered(3, 2);
    collect(loaders->train, 0, first);
    collect(loaders->train, 1, next);
    ursa_dataloaders_free(loaders);
    for (int i = 0; i < 8; i++)
        assert_true(first[i] >= (float)i && first[i] < (float)i + 101 && first[i] != next[i]);
    for (int threads = 1; threads <= 2; threads++)
        for (int batch = 1; batch <= 8; batch += 7)
            for (int prefetch = 1; prefetch <= 5; prefetch += 4) {
                ursa_set_threads(threads);
                loaders = jittered(batch, prefetch);
                collect(loaders->train, 0, other);
                ursa_dataloaders_free(loaders);
                assert_memory_equal(first, other, sizeof first);
            }
    ursa_set_threads(0);
    /* Draws of the item and of the batch are not the same numbers. */
    for (int i = 0; i < 8; i++)
        fraction[i] = (first[i] - (float)i) / 101;
    for (int i = 1; i < 8; i++)
        assert_true(fabsf(fraction[i] - fraction[0]) > 1e-6f);
}

static void test_training_or_not(void **state)
{
    (void)state;
    float plain[8], random[8];
    ursa_dataloaders *loaders = jittered(3, 2);
    collect(loaders->valid, 0, plain);
    for (int i = 0; i < 4; i++)
        assert_true(plain[i] == (float)(i + 8) + 0.5f);
    ursa_dataloader *augmented = ursa_dataloader_in_order(loaders->valid, true);
    ursa_dataloader *still = ursa_dataloader_in_order(loaders->train, false);
    collect(augmented, 0, random);
    for (int i = 0; i < 4; i++)
        assert_true(random[i] > (float)(i + 8) && random[i] != plain[i]);
    collect(still, 0, plain);
    for (int i = 0; i < 8; i++)
        assert_true(plain[i] == (float)i + 0.5f);
    ursa_dataloader_free(augmented);
    ursa_dataloader_free(still);
    ursa_dataloaders_free(loaders);
}

/* An item drawn twice in an epoch is not augmented alike. */
static void test_repeated_items(void **state)
{
    (void)state;
    double weights[ROWS] = {0};
    weights[2] = 1;
    ursa_frame *frame = table();
    ursa_datablock *block =
        ursa_datablock_new(.blocks = {ursa_regression_block()}, .get_x = ursa_column("x"),
                           .splitter = ursa_column_splitter("is_valid"), .item_tfms = {{.class = &jitter_item_class}});
    ursa_dataloaders *loaders = ursa_dataloaders_of_frame(block, frame, NULL, .batch_size = 8, .weights = weights);
    ursa_batch batch;
    float x[8];
    assert_true(ursa_dataloader_start(loaders->train, 0) && ursa_dataloader_next(loaders->train, &batch));
    assert_null(batch.y);
    assert_true(ursa_read(batch.x, URSA_F32, x, 8));
    for (int i = 0; i < 8; i++) {
        assert_true(x[i] >= 2 && x[i] < 3 && batch.indices[i] == 2);
        for (int j = 0; j < i; j++)
            assert_true(x[i] != x[j]);
    }
    ursa_dataloaders_free(loaders);
    ursa_datablock_free(block);
    ursa_frame_free(frame);
}

/* ---- loaders ------------------------------------------------------------------------------------------------ */

static void test_loaders(void **state)
{
    (void)state;
    int counts[100] = {0};
    ursa_dataloaders *loaders = ursa_dataloaders_from_datasets(unbalanced(50), unbalanced(30), .batch_size = 16);
    assert_int_equal(ursa_dataloader_batches(loaders->train), 3);
    assert_int_equal(ursa_dataloader_batches(loaders->valid), 1);
    assert_int_equal(ursa_dataloader_batch_size(loaders->valid), 32);
    count_items(loaders->valid, 1, counts);
    for (int i = 0; i < 30; i++)
        assert_int_equal(counts[i], 1);
    assert_fails(ursa_dataloaders_outputs(loaders) >= 0, "do not say how many outputs");
    assert_true(
        ursa_dataset_set_classes(ursa_dataloader_dataset(loaders->train), (const char *[]){"rare", "common"}, 2));
    assert_int_equal(ursa_dataloaders_outputs(loaders), 2);
    assert_string_equal(vocab_of(loaders), "rare common");
    assert_fails(ursa_test_loader(loaders, (const char *[]){"a"}, 1), "not made of a data block");
    ursa_dataloaders_free(loaders);

    loaders = ursa_dataloaders_from_datasets(unbalanced(5), NULL, .batch_size = 16, .keep_order = true);
    assert_null(loaders->valid);
    assert_int_equal(ursa_dataloader_batches(loaders->train), 1);
    ursa_dataloaders_free(loaders);
    assert_null(ursa_dataloaders_from_datasets(NULL, NULL));
    assert_fails(ursa_dataloaders_from_datasets(unbalanced(5), NULL, .batch_size = -1), "batch_size is -1");
}

static void test_append(void **state)
{
    (void)state;
    ursa_dataloaders *loaders = jittered(3, 2);
    for (int i = 1; i < URSA_TRANSFORMS; i++)
        assert_true(ursa_dataloaders_append_batch_tfm(loaders, nothing));
    assert_ptr_equal(ursa_dataloader_options_of(loaders->valid)->batch_tfms[1].class, &nothing_class);
    assert_ptr_equal(ursa_datablock_options_of(loaders->block)->batch_tfms[15].class, &nothing_class);
    assert_fails(ursa_dataloaders_append_batch_tfm(loaders, nothing), "a list holds 16 transforms");
    assert_fails(ursa_dataloaders_append_batch_tfm(loaders, (ursa_transform){0}), "has no class");
    ursa_dataloaders_free(loaders);
}

static void test_further_items(void **state)
{
    (void)state;
    float x[ROWS];
    ursa_dataloaders *loaders = jittered(3, 2);
    ursa_frame *frame = table();
    ursa_dataloader *test = ursa_test_loader_of_frame(loaders, frame, NULL);
    assert_int_equal(ursa_dataloader_items(test), ROWS);
    assert_true(ursa_dataset_layout(ursa_dataloader_dataset(test))->unlabelled);
    collect(test, 0, x);
    for (int i = 0; i < ROWS; i++)
        assert_true(x[i] == (float)i + 0.5f);
    ursa_dataloader_free(test);

    ursa_dataloaders *empty = ursa_dataloaders_without_data(loaders->block, .batch_size = 5);
    assert_null(empty->train);
    assert_null(empty->valid);
    assert_string_equal(vocab_of(empty), "cat dog eel");
    assert_int_equal(ursa_dataloaders_outputs(empty), 3);
    ursa_dataloaders_free(loaders);
    test = ursa_test_loader_of_frame(empty, frame, NULL);
    assert_int_equal(ursa_dataloader_batch_size(test), 10);
    collect(test, 0, x);
    assert_true(x[11] == 11.5f);
    ursa_dataloader_free(test);
    ursa_frame_free(frame);
    /* `empty` is left to ursa_finish(). */
}

/* ---- summary ---------------------------------------------------------------------------------------------------- */

static void test_summary(void **state)
{
    (void)state;
    ursa_frame *frame = table();
    ursa_datablock *block = ursa_datablock_new(.blocks = {ursa_regression_block(), ursa_multi_category_block()},
                                               .get_x = ursa_column("half"), .get_y = ursa_column("tags", .delim = " "),
                                               .splitter = ursa_column_splitter("is_valid"), .item_tfms = {nothing},
                                               .batch_tfms = {{.class = &jitter_batch_class}});
    char *text = ursa_datablock_summary_text(block, &(ursa_source){.frame = frame});
    assert_string_equal(text, "Blocks: regression → multi_category\n"
                              "Looking in a frame\n"
                              "Items: 12, found by rows of the frame\n"
                              "Split by column_splitter: 8 for training, 4 for validation\n"
                              "Vocabulary of multi_category: 2: cold, wet\n"
                              "One item: row 1\n"
                              "  get_x (column): \"0\"\n"
                              "  get_y (column): \"wet\", \"cold\"\n"
                              "Blocks make of it:\n"
                              "  x: regression f32 []: 0\n"
                              "  y: set of classes f32 [2]: cold;wet\n"
                              "Transform of items nothing:\n"
                              "  x: regression f32 []: 0\n"
                              "  y: set of classes f32 [2]: cold;wet\n"
                              "Transforms of batches: jitter_batch\n"
                              "A batch of one:\n"
                              "  x: f32 [1]\n"
                              "  y: f32 [1, 2]\n");
    free(text);
    ursa_datablock *wrong = ursa_datablock_with(block, .get_y = ursa_column("hole"));
    text = ursa_datablock_summary_text(wrong, &(ursa_source){.frame = frame});
    assert_non_null(strstr(text, "Looking in a frame\nIt ends here: row 8: column \"hole\": the cell is missing\n"));
    assert_fails(false, "row 8: column \"hole\"");
    free(text);
    ursa_datablock_free(block);
    ursa_datablock_free(wrong);
    ursa_frame_free(frame);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_listers),
        cmocka_unit_test(test_own_lister),
        cmocka_unit_test(test_random_splitter),
        cmocka_unit_test(test_folder_splitters),
        cmocka_unit_test(test_listed_splitters),
        cmocka_unit_test(test_column_splitter),
        cmocka_unit_test(test_name_getters),
        cmocka_unit_test(test_column_getters),
        cmocka_unit_test(test_category),
        cmocka_unit_test(test_multi_category),
        cmocka_unit_test(test_numbers),
        cmocka_unit_test(test_missing_parts),
        cmocka_unit_test(test_with),
        cmocka_unit_test(test_weights),
        cmocka_unit_test(test_balance),
        cmocka_unit_test(test_draws),
        cmocka_unit_test(test_training_or_not),
        cmocka_unit_test(test_repeated_items),
        cmocka_unit_test(test_loaders),
        cmocka_unit_test(test_append),
        cmocka_unit_test(test_further_items),
        cmocka_unit_test(test_summary),
    };
    return run_unit_tests("datablock", tests);
}
