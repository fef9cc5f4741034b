/* stb_image.c — the picture decoders of stb_image, which come as a header. */
#define STB_IMAGE_IMPLEMENTATION
#define STBI_MAX_DIMENSIONS (1 << 16)
#include <stb/stb_image.h>
