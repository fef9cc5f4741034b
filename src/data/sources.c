/* sources.c — the data sets that have a name: fastai's collection
 * (https://course.fast.ai/datasets), under the names of its URLs class and with the
 * sizes and checksums of its own list, and MNIST and Fashion-MNIST. */
#include "base/memory.h"
#include "io/files.h"

#include <ursa/download.h>

#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define S3            "https://s3.amazonaws.com/fast-ai-"
#define SAMPLE        S3 "sample/"
#define IMAGES        S3 "imageclas/"
#define LOCAL         S3 "imagelocal/"
#define NLP           S3 "nlp/"
#define COCO          S3 "coco/"
#define MODELS        S3 "modelzoo/"
#define GROUPLENS     "https://files.grouplens.org/datasets/movielens/"
#define SOUNDS        "https://storage.googleapis.com/ml-animal-sounds-datasets/"
#define MNIST_FILES   "https://ossci-datasets.s3.amazonaws.com/mnist/"
#define FASHION_FILES "http://fashion-mnist.s3-website.eu-central-1.amazonaws.com/"

static const ursa_data_source sources[] = {
    /* data to start with */
    {"ADULT_SAMPLE",
     "data to start with",
     "who earns more than 50 thousand dollars, from the census of 1994",
     SAMPLE,
     {{"adult_sample.tgz", 968212, NULL, "64eb9d7e23732de0b138f7372d15492f"}}},
    {"BIWI_SAMPLE",
     "data to start with",
     "200 pictures of heads with the position of their centre",
     SAMPLE,
     {{"biwi_sample.tgz", 593774, NULL, "9179f4c1435f4b291f0d5b072d60c2c9"}}},
    {"CIFAR",
     "data to start with",
     "CIFAR-10: 60 000 pictures of 32 px in 10 classes",
     SAMPLE,
     {{"cifar10.tgz", 168168549, NULL, "a5f8c31371b63a406b23368042812d3c"}}},
    {"COCO_SAMPLE",
     "data to start with",
     "21 837 photographs of indoor things with boxes",
     COCO,
     {{"coco_sample.tgz", 3245877008, NULL, "006cd55d633d94b36ecaf661467830ec"}}},
    {"COCO_TINY",
     "data to start with",
     "200 photographs with boxes",
     COCO,
     {{"coco_tiny.tgz", 801038, NULL, "367467451ac4fba79a647753c2c66d3a"}}},
    {"HUMAN_NUMBERS",
     "data to start with",
     "the numbers from one to 9999 in words",
     SAMPLE,
     {{"human_numbers.tgz", 30252, NULL, "8a19c3bfa2bcb08cd787e741261f3ea2"}}},
    {"IMDB",
     "data to start with",
     "50 000 reviews of films, good and bad, and as many without a label",
     NLP,
     {{"imdb.tgz", 144440600, NULL, "90f9b1c4ff43a90d67553c9240dc0249"}}},
    {"IMDB_SAMPLE",
     "data to start with",
     "1000 of them as CSV",
     SAMPLE,
     {{"imdb_sample.tgz", 571827, NULL, "0842e61a9867caa2e6fbdb14fa703d61"}}},
    {"ML_SAMPLE",
     "data to start with",
     "6000 ratings of films",
     SAMPLE,
     {{"movie_lens_sample.tgz", 51790, NULL, "10961384dfe7c5181460390a460c1f77"}}},
    {"ML_100k",
     "data to start with",
     "MovieLens: 100 000 ratings of films",
     GROUPLENS,
     {{"ml-100k.zip", 4924029, NULL, "39f6af2d7ea4e117f8838e4a302fec70"}}},
    {"MNIST_SAMPLE",
     "data to start with",
     "the threes and sevens of MNIST",
     SAMPLE,
     {{"mnist_sample.tgz", 3214948, NULL, "2dbc7ec6f9259b583af0072c55816a88"}}},
    {"MNIST_TINY",
     "data to start with",
     "1400 of them",
     SAMPLE,
     {{"mnist_tiny.tgz", 342207, NULL, "56143e8f24db90d925d82a5a74141875"}}},
    {"MNIST_VAR_SIZE_TINY",
     "data to start with",
     "the same in various sizes",
     IMAGES,
     {{"mnist_var_size_tiny.tgz", 565372, NULL, "b71a930f4eb744a4a143a6c7ff7ed67f"}}},
    {"PLANET_SAMPLE",
     "data to start with",
     "1000 satellite pictures of the Amazon with several labels each",
     SAMPLE,
     {{"planet_sample.tgz", 15523994, NULL, "8bfb174b3162f07fbde09b54555bdb00"}}},
    {"PLANET_TINY",
     "data to start with",
     "200 of them",
     SAMPLE,
     {{"planet_tiny.tgz", 997569, NULL, "490873c5683454d4b2611fb1f00a68a9"}}},
    {"IMAGENETTE",
     "data to start with",
     "ten easy classes of ImageNet, full size",
     IMAGES,
     {{"imagenette2.tgz", 1557161267, NULL, "2c774ecb40005b35d7937d50f5d42336"}}},
    {"IMAGENETTE_160",
     "data to start with",
     "the same, shorter side 160 px",
     IMAGES,
     {{"imagenette2-160.tgz", 99003388, NULL, "c475f8f7617a200ba35b9facc48443c3"}}},
    {"IMAGENETTE_320",
     "data to start with",
     "the same, shorter side 320 px",
     IMAGES,
     {{"imagenette2-320.tgz", 341663724, NULL, "1f1f74f133caff120e575856659b87a2"}}},
    {"IMAGEWOOF",
     "data to start with",
     "ten breeds of dogs from ImageNet, full size",
     IMAGES,
     {{"imagewoof2.tgz", 1343715595, NULL, "2cc1c1e36e20cb6fd24ffb978edcb487"}}},
    {"IMAGEWOOF_160",
     "data to start with",
     "the same, shorter side 160 px",
     IMAGES,
     {{"imagewoof2-160.tgz", 92612825, NULL, "3559b194123981a540b87132dbda412f"}}},
    {"IMAGEWOOF_320",
     "data to start with",
     "the same, shorter side 320 px",
     IMAGES,
     {{"imagewoof2-320.tgz", 328387740, NULL, "7a1fd92672a559a85de76e4810a20c21"}}},
    {"IMAGEWANG",
     "data to start with",
     "Imagenette and Imagewoof, few labels, full size",
     IMAGES,
     {{"imagewang.tgz", 2900347689, NULL, "2b7776bac0fc95db72ac8a3b091a3e30"}}},
    {"IMAGEWANG_160",
     "data to start with",
     "the same, shorter side 160 px",
     IMAGES,
     {{"imagewang-160.tgz", 191498213, NULL, "dab9b1d97b95574ac64122a19bc74ca1"}}},
    {"IMAGEWANG_320",
     "data to start with",
     "the same, shorter side 320 px",
     IMAGES,
     {{"imagewang-320.tgz", 669826647, NULL, "fff8ac034d60e14fcf7789845e625263"}}},
    {"DOGS",
     "data to start with",
     "25 000 cats and dogs",
     SAMPLE,
     {{"dogscats.tgz", 839285364, NULL, "3e483c8d6ef2175e9d395a6027eb92b7"}}},

    /* image classification */
    {"CALTECH_101",
     "image classification",
     "pictures of things in 101 classes",
     IMAGES,
     {{"caltech_101.tgz", 131740031, NULL, "d673425306e98ee4619fcdeef8a0e876"}}},
    {"CARS",
     "image classification",
     "Stanford Cars: 16 185 cars of 196 models",
     IMAGES,
     {{"stanford-cars.tgz", 1957803273, NULL, "9045d6673c9ced0889f41816f6bf2f9f"}}},
    {"CIFAR_100",
     "image classification",
     "60 000 pictures of 32 px in 100 classes",
     IMAGES,
     {{"cifar100.tgz", 169168619, NULL, "e5e65dcb54b9d3913f7b8a9ad6607e62"}}},
    {"CUB_200_2011",
     "image classification",
     "Caltech-UCSD Birds: 11 788 birds of 200 species",
     IMAGES,
     {{"CUB_200_2011.tgz", 1150585339, NULL, "d2acaa99439dff0483c7bbac1bfe2a92"}}},
    {"FLOWERS",
     "image classification",
     "Oxford Flowers: 8189 flowers of 102 species",
     IMAGES,
     {{"oxford-102-flowers.tgz", 345236087, NULL, "5666e01c1311b4c67fcf20d2b3850a88"}}},
    {"FOOD",
     "image classification",
     "101 000 pictures of 101 dishes",
     IMAGES,
     {{"food-101.tgz", 5686607260, NULL, "1a540ebf1fb40b2bf3f2294234ba7907"}}},
    {"MNIST",
     "image classification",
     "70 000 handwritten digits of 28 px as PNG files",
     IMAGES,
     {{"mnist_png.tgz", 15683414, NULL, "03639f83c4e3d19e0a3a53a8a997c487"}}},
    {"PETS",
     "image classification",
     "Oxford-IIIT Pet: 7390 cats and dogs of 37 breeds",
     IMAGES,
     {{"oxford-iiit-pet.tgz", 811706944, NULL, "e4db5c768afd933bb91f5f594d7417a4"}}},

    /* text */
    {"AG_NEWS",
     "text",
     "127 600 news of four kinds",
     NLP,
     {{"ag_news_csv.tgz", 11784419, NULL, "b86f328f4dbd072486591cb7a5644dcd"}}},
    {"AMAZON_REVIEWS",
     "text",
     "3.65 million reviews with one to five stars",
     NLP,
     {{"amazon_review_full_csv.tgz", 643695014, NULL, "4a1196cf0adaea22f4bc3f592cddde90"}}},
    {"AMAZON_REVIEWS_POLARITY",
     "text",
     "4 million reviews, good and bad",
     NLP,
     {{"amazon_review_polarity_csv.tgz", 688339454, NULL, "676f7e5208ec343c8274b4bb085bc938"}}},
    {"DBPEDIA",
     "text",
     "630 000 articles of 14 kinds",
     NLP,
     {{"dbpedia_csv.tgz", 68341743, NULL, "239c7837b9e79db34486f3de6a00e38e"}}},
    {"MT_ENG_FRA",
     "text",
     "22.5 million sentences in English and French",
     NLP,
     {{"giga-fren.tgz", 2598183296, NULL, "69573f58e2c850b90f2f954077041d8c"}}},
    {"SOGOU_NEWS",
     "text",
     "510 000 Chinese news of five kinds, in pinyin",
     NLP,
     {{"sogou_news_csv.tgz", 384269937, NULL, "950f1366d33be52f5b944f8a8b680902"}}},
    {"WIKITEXT",
     "text",
     "103 million words of good Wikipedia articles",
     NLP,
     {{"wikitext-103.tgz", 190200704, NULL, "2dd8cf8693b3d27e9c8f0a7df054b2c7"}}},
    {"WIKITEXT_TINY",
     "text",
     "2 million of them",
     NLP,
     {{"wikitext-2.tgz", 4070055, NULL, "2a82d47a7b85c8b6a8e068dc4c1d37e7"}}},
    {"YAHOO_ANSWERS",
     "text",
     "1.46 million questions of ten kinds, with answers",
     NLP,
     {{"yahoo_answers_csv.tgz", 319476345, NULL, "0632a0d236ef3a529c0fa4429b339f68"}}},
    {"YELP_REVIEWS",
     "text",
     "700 000 reviews with one to five stars",
     NLP,
     {{"yelp_review_full_csv.tgz", 196146755, NULL, "1efd84215ea3e30d90e4c33764b889db"}}},
    {"YELP_REVIEWS_POLARITY",
     "text",
     "598 000 reviews, good and bad",
     NLP,
     {{"yelp_review_polarity_csv.tgz", 166373201, NULL, "48c8451c1ad30472334d856b5d294807"}}},

    /* image localization */
    {"BIWI_HEAD_POSE",
     "image localization",
     "15 000 pictures of heads with their centre and pose",
     LOCAL,
     {{"biwi_head_pose.tgz", 452316199, NULL, "00f4ccf66e8cba184bc292fdc08fb237"}}},
    {"CAMVID",
     "image localization",
     "700 frames of street scenes, a class for every pixel",
     LOCAL,
     {{"camvid.tgz", 598913237, NULL, "648371e4f3a833682afb39b08a3ce2aa"}}},
    {"CAMVID_TINY",
     "image localization",
     "100 of them, small",
     SAMPLE,
     {{"camvid_tiny.tgz", 2314212, NULL, "2cf6daf91b7a2083ecfa3e9968e9d915"}}},
    {"LSUN_BEDROOMS",
     "image localization",
     "bedrooms, for generating",
     IMAGES,
     {{"bedroom.tgz", 4579163978, NULL, "35d84f38f8a15fe47e66e460c8800d68"}}},
    {"PASCAL_2007",
     "image localization",
     "Pascal VOC 2007: 20 classes of things with boxes",
     LOCAL,
     {{"pascal_2007.tgz", 1637796771, NULL, "433b4706eb7c42bd74e7f784e3fdf244"}}},
    {"PASCAL_2012",
     "image localization",
     "Pascal VOC 2012",
     LOCAL,
     {{"pascal_2012.tgz", 2618908000, NULL, "d90e29e54a4c76c0c6fba8355dcbaca5"}}},

    /* sound */
    {"MACAQUES",
     "sound",
     "7285 coos of eight macaques",
     SOUNDS,
     {{"macaques.zip", 131604586, NULL, "44fec3950e61d6a898f16fe30bc9c88d"}}},
    {"ZEBRA_FINCH",
     "sound",
     "3405 calls of zebra finches, of 11 kinds",
     SOUNDS,
     {{"zebra_finch.zip", 83886080, NULL, "91fa9c4ebfc986b9babc2a805a10e281"}}},

    /* medicine */
    {"SIIM_SMALL",
     "medicine",
     "chest radiographs with and without pneumothorax",
     LOCAL,
     {{"siim_small.tgz", 33276453, NULL, "2f88ac350dce1d971ecbb5ec722da75f"}}},
    {"TCGA_SMALL",
     "medicine",
     "slices of the abdomen with fat marked",
     LOCAL,
     {{"tcga_small.tgz", 14744474, NULL, "3ceffe7cf522cb1c60e93dc555d8817f"}}},

    /* pretrained models */
    {"OPENAI_TRANSFORMER",
     "pretrained models",
     "weights of the GPT of 2018",
     MODELS,
     {{"transformer.tgz", 432848315, NULL, "024b0d2203ebb0cd1fc64b27cf8af18e"}}},
    {"WT103_FWD",
     "pretrained models",
     "weights of an AWD-LSTM that reads forward, from WikiText-103",
     MODELS,
     {{"wt103-fwd.tgz", 0, NULL, NULL}}},
    {"WT103_BWD", "pretrained models", "the same, backward", MODELS, {{"wt103-bwd.tgz", 0, NULL, NULL}}},

    /* IDX files */
    {"MNIST_IDX",
     "image classification",
     "70 000 handwritten digits of 28 px as IDX files",
     MNIST_FILES,
     {{"train-images-idx3-ubyte.gz", 9912422, "f68b3c2dcbeaaa9fbdd348bbdeb94873", NULL},
      {"train-labels-idx1-ubyte.gz", 28881, "d53e105ee54ea40749a09fcbcd1e9432", NULL},
      {"t10k-images-idx3-ubyte.gz", 1648877, "9fb629c4189551a2d022fa330f9573f3", NULL},
      {"t10k-labels-idx1-ubyte.gz", 4542, "ec29112dd5afa0611ce80d1b7f02629c", NULL}}},
    {"FASHION_MNIST",
     "image classification",
     "70 000 garments of 28 px in ten classes as IDX files",
     FASHION_FILES,
     {{"train-images-idx3-ubyte.gz", 26421880, "8d4fb7e6c68d591d4c3dfef9ec88bf0d", NULL},
      {"train-labels-idx1-ubyte.gz", 29515, "25c81989df183df01b3e8a0aad5dffbe", NULL},
      {"t10k-images-idx3-ubyte.gz", 4422102, "bef4ecab320f06d8554ea6380940ec79", NULL},
      {"t10k-labels-idx1-ubyte.gz", 5148, "bb300cfdad3c16e7a12a480ee83cd310", NULL}}},
};
enum { SOURCES = sizeof sources / sizeof *sources };

int ursa_data_source_count(void)
{
    return SOURCES;
}

const ursa_data_source *ursa_data_source_at(int index)
{
    return index >= 0 && index < SOURCES ? &sources[index] : NULL;
}

/* ---- near names -------------------------------------------------------------------- */

static bool same_letter(char a, char b)
{
    bool gap_a = a == '_' || a == '-' || a == ' ', gap_b = b == '_' || b == '-' || b == ' ';
    return (gap_a && gap_b) || toupper((unsigned char)a) == toupper((unsigned char)b);
}

/* How many letters to insert, leave out or change (Levenshtein). */
static int distance(const char *a, const char *b)
{
    enum { LONGEST = 40 };
    int row[LONGEST + 1];
    int length = (int)strnlen(b, LONGEST);
    for (int j = 0; j <= length; j++)
        row[j] = j;
    for (int i = 1; a[i - 1] && i <= LONGEST; i++) {
        int diagonal = row[0];
        row[0] = i;
        for (int j = 1; j <= length; j++) {
            int change = diagonal + !same_letter(a[i - 1], b[j - 1]);
            diagonal = row[j];
            int other = (row[j] < row[j - 1] ? row[j] : row[j - 1]) + 1;
            row[j] = change < other ? change : other;
        }
    }
    return row[length];
}

static bool is_near(const char *name, const char *candidate)
{
    size_t length = strlen(name);
    return distance(name, candidate) <= (length > 8   ? 3
                                         : length > 3 ? 2
                                                      : 1) ||
           (length >= 3 && strcasestr(candidate, name));
}

/* "PETS, PLANET_TINY"; to free(). */
static char *near_names(const char *name)
{
    char *list = ursa_copy_string("");
    for (int i = 0; list && i < SOURCES; i++) {
        if (!is_near(name, sources[i].name))
            continue;
        char *longer = ursa_format("%s%s%s", list, *list ? ", " : "", sources[i].name);
        free(list);
        list = longer;
    }
    return list;
}

const ursa_data_source *ursa_data_source_find(const char *name)
{
    if (!name)
        return NULL;
    for (int i = 0; i < SOURCES; i++)
        if (distance(name, sources[i].name) == 0)
            return &sources[i];
    char *near = near_names(name);
    if (near && *near)
        ursa_fail(URSA_ERROR_ARGUMENT, "there is no data set \"%s\"; did you mean %s?", name, near);
    else if (near)
        ursa_fail(URSA_ERROR_ARGUMENT, "there is no data set \"%s\"; `ursa data list` shows all", name);
    free(near);
    return NULL;
}
