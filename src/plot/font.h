/* font.h — the fonts of pictures, and text fit to be drawn with them. */
#ifndef URSA_PLOT_FONT_H
#define URSA_PLOT_FONT_H

#include <cairo.h>
#include <stdbool.h>

/* A copy of a text that may come from anywhere, file names say: bytes that are
 * not UTF-8 become �, control characters spaces. free() it; NULL with an error. */
char *ursa_text_clean(const char *text);

/* Sets the font for a clean text: DejaVu Sans, or one that has all its
 * characters where that lacks some and one is installed. */
void ursa_font_set(cairo_t *cairo, const char *text, double size, bool bold);

#endif
