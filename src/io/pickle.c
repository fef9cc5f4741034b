/* pickle.c — the stack machine of pickles: instructions that make numbers, texts
 * and containers (Python's pickletools documents each). */
#include "pickle_names.h"
#include "base/memory.h"

#include <stdlib.h>
#include <string.h>

enum { CHUNK = 1 << 16, PER_BYTE = 24, AT_LEAST = 1 << 20 };

/* Memory is taken in chunks, all freed at once. */
struct chunk {
    struct chunk *next;
    size_t used, room;
    _Alignas(16) uint8_t data[];
};

struct ursa_pickle {
    struct chunk *chunks;
    size_t taken, limit;
    const ursa_pickle_storage *storages;
};

ursa_pickle *ursa_pickle_new(size_t bytes)
{
    ursa_pickle *pickle = ursa_alloc(sizeof *pickle);
    if (pickle)
        pickle->limit = (bytes < SIZE_MAX / 2 / PER_BYTE ? bytes : SIZE_MAX / 2 / PER_BYTE) * PER_BYTE + AT_LEAST;
    return pickle;
}

void ursa_pickle_free(ursa_pickle *pickle)
{
    while (pickle && pickle->chunks) {
        struct chunk *next = pickle->chunks->next;
        free(pickle->chunks);
        pickle->chunks = next;
    }
    free(pickle);
}

void *ursa_pickle_alloc(ursa_pickle *pickle, size_t bytes)
{
    if (bytes > SIZE_MAX - CHUNK) {
        ursa_fail(URSA_ERROR_FORMAT, "a damaged pickle: a container larger than memory");
        return NULL;
    }
    bytes = (bytes + 15) / 16 * 16;
    struct chunk *chunk = pickle->chunks;
    if (!chunk || chunk->room - chunk->used < bytes) {
        size_t room = bytes > CHUNK ? bytes : CHUNK;
        if (room > pickle->limit - pickle->taken) {
            ursa_fail(URSA_ERROR_FORMAT, "a pickle that makes far more than it holds");
            return NULL;
        }
        chunk = ursa_alloc(sizeof *chunk + room);
        if (!chunk)
            return NULL;
        *chunk = (struct chunk){.next = pickle->chunks, .room = room};
        pickle->chunks = chunk;
        pickle->taken += room;
    }
    void *memory = chunk->data + chunk->used;
    chunk->used += bytes;
    return memory;
}

ursa_pickle_value *ursa_pickle_value_new(ursa_pickle *pickle, ursa_pickle_kind kind)
{
    ursa_pickle_value *value = ursa_pickle_alloc(pickle, sizeof *value);
    if (value)
        value->kind = kind;
    return value;
}

void ursa_pickle_add_storage(ursa_pickle *pickle, ursa_pickle_storage *storage)
{
    storage->next = pickle->storages;
    pickle->storages = storage;
}

const ursa_pickle_storage *ursa_pickle_storages(const ursa_pickle *pickle)
{
    return pickle->storages;
}

bool ursa_pickle_append(ursa_pickle *pickle, ursa_pickle_list *list, ursa_pickle_value *item)
{
    if (list->count == list->room) {
        size_t room = list->room ? list->room * 2 : 4;
        ursa_pickle_value **grown = ursa_pickle_alloc(pickle, room * sizeof *grown);
        if (!grown)
            return false;
        if (list->count)
            memcpy(grown, list->items, list->count * sizeof *grown);
        list->items = grown;
        list->room = room;
    }
    list->items[list->count++] = item;
    return true;
}

bool ursa_pickle_is_text(const ursa_pickle_value *value, const char *text)
{
    return value && value->kind == URSA_PICKLE_TEXT && value->text.length == strlen(text) &&
           memcmp(value->text.text, text, value->text.length) == 0;
}

const ursa_pickle_value *ursa_pickle_find(const ursa_pickle_value *dict, const char *key)
{
    for (size_t i = 0; dict && dict->kind == URSA_PICKLE_DICT && i + 1 < dict->list.count; i += 2)
        if (ursa_pickle_is_text(dict->list.items[i], key))
            return dict->list.items[i + 1];
    return NULL;
}

/* ---- the machine ------------------------------------------------------------------ */

struct machine {
    ursa_pickle *pickle;
    const uint8_t *data;
    size_t bytes, at;
    ursa_pickle_list stack, memo;
    struct {
        size_t *at; /* heights of the stack */
        size_t count, room;
    } marks;
};

static bool damaged(const char *problem)
{
    return ursa_fail(URSA_ERROR_FORMAT, "a damaged pickle: %s", problem);
}

/* ---- operands */

/* NULL, with an error, when there are not so many left. */
static const uint8_t *take(struct machine *machine, size_t count)
{
    if (count > machine->bytes - machine->at) {
        damaged("it is cut off");
        return NULL;
    }
    machine->at += count;
    return machine->data + machine->at - count;
}

/* A little-endian number of up to 8 bytes. */
static bool take_number(struct machine *machine, size_t size, uint64_t *out)
{
    const uint8_t *bytes = take(machine, size);
    *out = 0;
    if (!bytes)
        return false;
    for (size_t i = 0; i < size; i++)
        *out |= (uint64_t)bytes[i] << (8 * i);
    return true;
}

static bool take_line(struct machine *machine, ursa_pickle_text *out)
{
    const uint8_t *from = machine->data + machine->at, *end = memchr(from, '\n', machine->bytes - machine->at);
    if (!end)
        return damaged("it is cut off");
    *out = (ursa_pickle_text){(const char *)from, (size_t)(end - from)};
    machine->at += out->length + 1;
    return true;
}

/* ---- the stack */

static size_t floor_of(const struct machine *machine)
{
    return machine->marks.count ? machine->marks.at[machine->marks.count - 1] : 0;
}

static bool push(struct machine *machine, ursa_pickle_value *value)
{
    return value && ursa_pickle_append(machine->pickle, &machine->stack, value);
}

/* NULL, with an error, when there is none above the last mark. */
static ursa_pickle_value *pop(struct machine *machine)
{
    if (machine->stack.count > floor_of(machine))
        return machine->stack.items[--machine->stack.count];
    damaged("its stack is empty");
    return NULL;
}

static ursa_pickle_value *top(struct machine *machine)
{
    if (machine->stack.count > floor_of(machine))
        return machine->stack.items[machine->stack.count - 1];
    damaged("its stack is empty");
    return NULL;
}

static bool set_mark(struct machine *machine)
{
    if (machine->marks.count == machine->marks.room) {
        size_t room = machine->marks.room ? machine->marks.room * 2 : 16;
        size_t *grown = ursa_pickle_alloc(machine->pickle, room * sizeof *grown);
        if (!grown)
            return false;
        if (machine->marks.count)
            memcpy(grown, machine->marks.at, machine->marks.count * sizeof *grown);
        machine->marks.at = grown;
        machine->marks.room = room;
    }
    machine->marks.at[machine->marks.count++] = machine->stack.count;
    return true;
}

/* Removes the last mark; what was above it is items[*from … *end). */
static bool pop_mark(struct machine *machine, size_t *from, size_t *end)
{
    *from = *end = 0;
    if (!machine->marks.count)
        return damaged("a mark is missing");
    *from = machine->marks.at[--machine->marks.count];
    *end = machine->stack.count;
    machine->stack.count = *from;
    return true;
}

/* ---- values */

static bool push_integer(struct machine *machine, ursa_pickle_kind kind, int64_t integer)
{
    ursa_pickle_value *value = ursa_pickle_value_new(machine->pickle, kind);
    if (value)
        value->integer = integer;
    return push(machine, value);
}

static bool push_number(struct machine *machine, size_t size)
{
    uint64_t number;
    if (!take_number(machine, size, &number))
        return false;
    return push_integer(machine, URSA_PICKLE_INTEGER, size == 4 ? (int32_t)(uint32_t)number : (int64_t)number);
}

/* Any number of bytes, two's complement. What does not fit in 64 bits is no
 * size or offset; it stays a number that nothing takes. */
static bool push_long(struct machine *machine, size_t length_size)
{
    uint64_t length, number = 0;
    const uint8_t *bytes = take_number(machine, length_size, &length) ? take(machine, length) : NULL;
    if (!bytes)
        return false;
    for (size_t i = 0; i < 8; i++)
        number |= (uint64_t)(i < length ? bytes[i] : length && bytes[length - 1] & 0x80 ? 0xff : 0) << (8 * i);
    if (length <= 8)
        return push_integer(machine, URSA_PICKLE_INTEGER, (int64_t)number);
    ursa_pickle_value *value = ursa_pickle_value_new(machine->pickle, URSA_PICKLE_TEXT);
    if (value)
        value->text = (ursa_pickle_text){(const char *)bytes, length};
    return push(machine, value);
}

static bool push_real(struct machine *machine)
{
    const uint8_t *bytes = take(machine, 8);
    if (!bytes)
        return false;
    uint64_t bits = 0;
    for (int i = 0; i < 8; i++)
        bits = bits << 8 | bytes[i];
    ursa_pickle_value *value = ursa_pickle_value_new(machine->pickle, URSA_PICKLE_REAL);
    if (value)
        memcpy(&value->real, &bits, sizeof bits);
    return push(machine, value);
}

static bool push_text(struct machine *machine, size_t length_size)
{
    uint64_t length;
    const uint8_t *bytes = take_number(machine, length_size, &length) ? take(machine, length) : NULL;
    if (!bytes)
        return false;
    ursa_pickle_value *value = ursa_pickle_value_new(machine->pickle, URSA_PICKLE_TEXT);
    if (value)
        value->text = (ursa_pickle_text){(const char *)bytes, length};
    return push(machine, value);
}

/* ---- containers */

static bool push_items(struct machine *machine, ursa_pickle_kind kind, size_t from, size_t end)
{
    ursa_pickle_value *value = ursa_pickle_value_new(machine->pickle, kind);
    for (size_t i = from; value && i < end; i++)
        if (!ursa_pickle_append(machine->pickle, &value->list, machine->stack.items[i]))
            return false;
    return push(machine, value);
}

static bool push_tuple(struct machine *machine, size_t count)
{
    if (machine->stack.count - floor_of(machine) < count)
        return damaged("its stack is empty");
    machine->stack.count -= count;
    return push_items(machine, URSA_PICKLE_LIST, machine->stack.count, machine->stack.count + count);
}

static bool push_marked(struct machine *machine, ursa_pickle_kind kind)
{
    size_t from, end;
    if (!pop_mark(machine, &from, &end))
        return false;
    if (kind == URSA_PICKLE_DICT && (end - from) % 2)
        return damaged("a key without a value");
    return push_items(machine, kind, from, end);
}

/* Adds items[from … end) to the container below them. */
static bool add_items(struct machine *machine, ursa_pickle_kind kind, size_t from, size_t end)
{
    ursa_pickle_value *container = top(machine);
    if (!container)
        return false;
    if (container->kind != kind || (kind == URSA_PICKLE_DICT && (end - from) % 2))
        return damaged("something is added to what is no container of it");
    for (size_t i = from; i < end; i++)
        if (!ursa_pickle_append(machine->pickle, &container->list, machine->stack.items[i]))
            return false;
    return true;
}

static bool add_marked(struct machine *machine, ursa_pickle_kind kind)
{
    size_t from, end;
    return pop_mark(machine, &from, &end) && add_items(machine, kind, from, end);
}

static bool add_top(struct machine *machine, ursa_pickle_kind kind, size_t count)
{
    if (machine->stack.count - floor_of(machine) <= count)
        return damaged("its stack is empty");
    machine->stack.count -= count;
    return add_items(machine, kind, machine->stack.count, machine->stack.count + count);
}

/* ---- the memo: values named by numbers. The numbers count up, so the memo is
 * never longer than the pickle. */

static bool put(struct machine *machine, uint64_t index)
{
    ursa_pickle_value *value = top(machine);
    if (!value)
        return false;
    if (index > machine->bytes)
        return damaged("it remembers more than it holds");
    while (machine->memo.count <= index)
        if (!ursa_pickle_append(machine->pickle, &machine->memo, NULL))
            return false;
    machine->memo.items[index] = value;
    return true;
}

static bool put_number(struct machine *machine, size_t size)
{
    uint64_t index;
    return take_number(machine, size, &index) && put(machine, index);
}

static bool get(struct machine *machine, size_t size)
{
    uint64_t index;
    if (!take_number(machine, size, &index))
        return false;
    if (index >= machine->memo.count || !machine->memo.items[index])
        return damaged("it recalls what it did not remember");
    return push(machine, machine->memo.items[index]);
}

/* ---- names and calls */

static bool push_global(struct machine *machine, ursa_pickle_text module, ursa_pickle_text name)
{
    int64_t meaning;
    return ursa_pickle_name(module, name, &meaning) && push_integer(machine, URSA_PICKLE_GLOBAL, meaning);
}

static bool global_of_lines(struct machine *machine)
{
    ursa_pickle_text module, name;
    return take_line(machine, &module) && take_line(machine, &name) && push_global(machine, module, name);
}

static bool global_of_stack(struct machine *machine)
{
    const ursa_pickle_value *name = pop(machine), *module = name ? pop(machine) : NULL;
    if (!module)
        return false;
    if (name->kind != URSA_PICKLE_TEXT || module->kind != URSA_PICKLE_TEXT)
        return damaged("a name that is no text");
    return push_global(machine, module->text, name->text);
}

static bool call(struct machine *machine)
{
    const ursa_pickle_value *arguments = pop(machine), *global = arguments ? pop(machine) : NULL;
    return global && push(machine, ursa_pickle_call(machine->pickle, global, arguments));
}

static bool persistent(struct machine *machine)
{
    const ursa_pickle_value *id = pop(machine);
    return id && push(machine, ursa_pickle_persistent(machine->pickle, id));
}

/* Attributes of an object: state dictionaries carry some of their own, which no
 * tensor needs. Other objects cannot have been made. */
static bool build(struct machine *machine)
{
    const ursa_pickle_value *state = pop(machine), *object = state ? top(machine) : NULL;
    if (!object)
        return false;
    return object->kind == URSA_PICKLE_DICT || damaged("attributes of what is no dictionary");
}

static bool skip(struct machine *machine, size_t size)
{
    return take(machine, size);
}

/* One instruction; names as in pickletools. */
static bool step(struct machine *machine, uint8_t instruction)
{
    switch (instruction) {
    case 0x80: /* PROTO */
        return skip(machine, 1);
    case 0x95: /* FRAME */
        return skip(machine, 8);
    case '(': /* MARK */
        return set_mark(machine);
    case '0': /* POP */
        return pop(machine);
    case '1': { /* POP_MARK */
        size_t from, end;
        return pop_mark(machine, &from, &end);
    }
    case 'N': /* NONE */
        return push(machine, ursa_pickle_value_new(machine->pickle, URSA_PICKLE_NONE));
    case 0x88: /* NEWTRUE */
    case 0x89: /* NEWFALSE */
        return push_integer(machine, URSA_PICKLE_BOOL, instruction == 0x88);
    case 'J': /* BININT */
        return push_number(machine, 4);
    case 'K': /* BININT1 */
        return push_number(machine, 1);
    case 'M': /* BININT2 */
        return push_number(machine, 2);
    case 0x8a: /* LONG1 */
        return push_long(machine, 1);
    case 0x8b: /* LONG4 */
        return push_long(machine, 4);
    case 'G': /* BINFLOAT */
        return push_real(machine);
    case 'X': /* BINUNICODE */
    case 'T': /* BINSTRING */
    case 'B': /* BINBYTES */
        return push_text(machine, 4);
    case 0x8c: /* SHORT_BINUNICODE */
    case 'U':  /* SHORT_BINSTRING */
    case 'C':  /* SHORT_BINBYTES */
        return push_text(machine, 1);
    case 0x8d: /* BINUNICODE8 */
    case 0x8e: /* BINBYTES8 */
        return push_text(machine, 8);
    case ']':  /* EMPTY_LIST */
    case ')':  /* EMPTY_TUPLE */
    case 0x8f: /* EMPTY_SET */
        return push_items(machine, URSA_PICKLE_LIST, 0, 0);
    case '}': /* EMPTY_DICT */
        return push_items(machine, URSA_PICKLE_DICT, 0, 0);
    case 'l':  /* LIST */
    case 't':  /* TUPLE */
    case 0x91: /* FROZENSET */
        return push_marked(machine, URSA_PICKLE_LIST);
    case 'd': /* DICT */
        return push_marked(machine, URSA_PICKLE_DICT);
    case 0x85: /* TUPLE1 */
    case 0x86: /* TUPLE2 */
    case 0x87: /* TUPLE3 */
        return push_tuple(machine, instruction - 0x84u);
    case 'a': /* APPEND */
        return add_top(machine, URSA_PICKLE_LIST, 1);
    case 'e':  /* APPENDS */
    case 0x90: /* ADDITEMS */
        return add_marked(machine, URSA_PICKLE_LIST);
    case 's': /* SETITEM */
        return add_top(machine, URSA_PICKLE_DICT, 2);
    case 'u': /* SETITEMS */
        return add_marked(machine, URSA_PICKLE_DICT);
    case 'q': /* BINPUT */
        return put_number(machine, 1);
    case 'r': /* LONG_BINPUT */
        return put_number(machine, 4);
    case 0x94: /* MEMOIZE */
        return put(machine, machine->memo.count);
    case 'h': /* BINGET */
        return get(machine, 1);
    case 'j': /* LONG_BINGET */
        return get(machine, 4);
    case 'c': /* GLOBAL */
        return global_of_lines(machine);
    case 0x93: /* STACK_GLOBAL */
        return global_of_stack(machine);
    case 'R': /* REDUCE */
        return call(machine);
    case 'Q': /* BINPERSID */
        return persistent(machine);
    case 'b': /* BUILD */
        return build(machine);
    default:
        return ursa_fail(URSA_ERROR_FORMAT,
                         "refused: a pickle with the instruction 0x%02x, which no tensor or "
                         "container needs; nothing was run",
                         instruction);
    }
}

const ursa_pickle_value *ursa_pickle_read(ursa_pickle *pickle, const uint8_t *data, size_t bytes, size_t *used)
{
    struct machine machine = {.pickle = pickle, .data = data, .bytes = bytes};
    if (!bytes || *data != 0x80) {
        damaged("it does not begin as one of protocol 2 or above");
        return NULL;
    }
    const uint8_t *instruction;
    while ((instruction = take(&machine, 1))) {
        if (*instruction == '.') { /* STOP */
            *used = machine.at;
            return pop(&machine);
        }
        if (!step(&machine, *instruction))
            return NULL;
    }
    return NULL;
}
