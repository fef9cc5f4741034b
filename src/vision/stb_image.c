/* stb_image.c — the picture decoders of stb_image, which come as a header. */
#include "image_memory.h"

#include <stdlib.h>

#define STB_IMAGE_IMPLEMENTATION
#define STBI_MALLOC(bytes)          ursa_image_malloc(bytes)
#define STBI_REALLOC(memory, bytes) ursa_image_realloc(memory, bytes)
#define STBI_FREE(memory)           free(memory)
/* What people keep photos and drawings in. The decoders of rarer formats are
 * not up to files from strangers: fuzzing finds writes past the end in PNM. */
#define STBI_ONLY_JPEG
#define STBI_ONLY_PNG
#define STBI_ONLY_BMP
#define STBI_ONLY_GIF
#define STBI_MAX_DIMENSIONS (1 << 16)
#include <stb/stb_image.h>
