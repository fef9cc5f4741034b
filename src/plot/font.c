/* font.c — choosing a font for a text. */
#include "font.h"
#include "base/memory.h"

#include <cairo-ft.h>
#include <fontconfig/fontconfig.h>
#include <stdlib.h>
#include <string.h>

/* ---- clean text ------------------------------------------------------------------ */

/* How many bytes the character at `text` has; 0 when it is not UTF-8 (RFC 3629). */
static int character_at(const char *text, uint32_t *code)
{
    const unsigned char *b = (const unsigned char *)text;
    static const uint32_t least[] = {0, 0, 0x80, 0x800, 0x10000};
    int bytes = b[0] < 0x80 ? 1 : b[0] >> 5 == 6 ? 2 : b[0] >> 4 == 14 ? 3 : b[0] >> 3 == 30 ? 4 : 0;
    *code = bytes == 1 ? b[0] : b[0] & (0x7Fu >> bytes);
    for (int i = 1; i < bytes; i++) {
        if (b[i] >> 6 != 2)
            return 0;
        *code = *code << 6 | (b[i] & 0x3F);
    }
    bool surrogate = *code >= 0xD800 && *code < 0xE000;
    return bytes > 0 && *code >= least[bytes] && *code < 0x110000 && !surrogate ? bytes : 0;
}

char *ursa_text_clean(const char *text)
{
    static const char replacement[] = "\xEF\xBF\xBD";
    char *clean = ursa_alloc(3 * strlen(text) + 1), *to = clean;
    if (!clean)
        return NULL;
    while (*text) {
        uint32_t code;
        int bytes = character_at(text, &code);
        if (bytes == 0) {
            memcpy(to, replacement, sizeof replacement - 1);
            to += sizeof replacement - 1;
        } else if (code < 0x20 || (code >= 0x7F && code < 0xA0) || code == 0xFFFE || code == 0xFFFF) {
            *to++ = ' ';
        } else {
            memcpy(to, text, (size_t)bytes);
            to += bytes;
        }
        text += bytes > 0 ? bytes : 1;
    }
    return clean;
}

/* ---- fonts ------------------------------------------------------------------------- */

/* Whether the font in use has all characters of a text: those it lacks are glyph 0. */
static bool covers(cairo_t *cairo, const char *text)
{
    cairo_glyph_t *glyphs = NULL;
    int count = 0, known = 0;
    cairo_status_t status = cairo_scaled_font_text_to_glyphs(cairo_get_scaled_font(cairo), 0, 0, text, -1, &glyphs,
                                                             &count, NULL, NULL, NULL);
    for (int i = 0; status == CAIRO_STATUS_SUCCESS && i < count; i++)
        known += glyphs[i].index != 0;
    cairo_glyph_free(glyphs);
    return status != CAIRO_STATUS_SUCCESS || known == count;
}

/* What fontconfig finds best for the characters of a text. */
static cairo_font_face_t *find_face(const char *text, bool bold)
{
    FcCharSet *characters = FcCharSetCreate();
    FcPattern *wanted = FcPatternCreate(), *found = NULL;
    FcResult result;
    uint32_t code;
    for (int bytes; *text && (bytes = character_at(text, &code)) > 0; text += bytes)
        FcCharSetAddChar(characters, code);
    FcPatternAddCharSet(wanted, FC_CHARSET, characters);
    FcPatternAddInteger(wanted, FC_WEIGHT, bold ? FC_WEIGHT_BOLD : FC_WEIGHT_REGULAR);
    FcPatternAddBool(wanted, FC_SCALABLE, FcTrue);
    if (FcConfigSubstitute(NULL, wanted, FcMatchPattern)) {
        FcDefaultSubstitute(wanted);
        found = FcFontMatch(NULL, wanted, &result);
    }
    cairo_font_face_t *face = found ? cairo_ft_font_face_create_for_pattern(found) : NULL;
    if (found)
        FcPatternDestroy(found);
    FcPatternDestroy(wanted);
    FcCharSetDestroy(characters);
    return face;
}

void ursa_font_set(cairo_t *cairo, const char *text, double size, bool bold)
{
    /* Unhinted, so that text is as wide in a PNG as in an SVG. */
    cairo_font_options_t *options = cairo_font_options_create();
    cairo_font_options_set_hint_style(options, CAIRO_HINT_STYLE_NONE);
    cairo_font_options_set_hint_metrics(options, CAIRO_HINT_METRICS_OFF);
    cairo_font_options_set_antialias(options, CAIRO_ANTIALIAS_GRAY);
    cairo_set_font_options(cairo, options);
    cairo_font_options_destroy(options);
    cairo_select_font_face(cairo, "DejaVu Sans", CAIRO_FONT_SLANT_NORMAL,
                           bold ? CAIRO_FONT_WEIGHT_BOLD : CAIRO_FONT_WEIGHT_NORMAL);
    cairo_set_font_size(cairo, size);
    cairo_font_face_t *other = covers(cairo, text) ? NULL : find_face(text, bold);
    if (!other)
        return;
    cairo_set_font_face(cairo, other);
    cairo_font_face_destroy(other);
}
