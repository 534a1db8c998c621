/* A row plan as data: what `rowplan/program.py` makes of a request. */
#ifndef OBSYNC_PROGRAM_H
#define OBSYNC_PROGRAM_H

#include "buffer.h"
#include "text.h"

/* How a column's raw value becomes text. The numbers are those of `rowplan/program.py`. */
enum Code {
    CODE_SIGNED,      /* a little-endian number */
    CODE_UNSIGNED,
    CODE_FLOAT,
    CODE_DOUBLE,
    CODE_YEAR,
    CODE_DATE,
    CODE_TIMESTAMP,   /* first: bytes of fraction */
    CODE_DATETIME,    /* first: bytes of fraction */
    CODE_TIME,        /* first: bytes of fraction */
    CODE_DECIMAL,     /* first: precision, second: scale */
    CODE_BASE64,      /* first: least width in bytes */
    CODE_ENUM,        /* extra: texts by index, None where unknown */
    CODE_SET,         /* extra: texts by bit, None where unknown */
    CODE_UTF8,        /* first: whether lone surrogates are allowed */
    CODE_SINGLE,      /* extra: texts of the 256 bytes, None where unknown */
    CODE_CALL,        /* first: whether ASCII is its own text; extra: a function from bytes to str */
    CODE_READY,       /* the result set's text as it stands */
    CODE_READY_TIMESTAMP, /* first: whether trailing zeros of a fraction are cut */
    CODE_READY_FRACTION,
    CODE_READY_INTEGER,
    CODE_READY_DECIMAL,
    CODE_READY_FLOAT,
    CODE_READY_DOUBLE,
    CODES
};

enum Quoting { QUOTING_PLAIN, QUOTING_QUOTED, QUOTING_ESCAPED };
enum Image { IMAGE_BEFORE, IMAGE_AFTER };
enum Operator { OPERATOR_LITERAL, OPERATOR_VALUE, OPERATOR_TEXT, OPERATOR_VARIABLE };
enum Variable { VARIABLE_COMMIT_S, VARIABLE_SEQUENCE, VARIABLE_GTID, VARIABLE_GNO, VARIABLES };
enum KeyForm { KEY_NONE, KEY_TEXTS, KEY_JSON };
enum Hash { HASH_FIXED, HASH_CRC32, HASH_MURMUR2 };

typedef struct {
    const uint8_t *bytes; /* NULL where the text is not known */
    size_t size;
} Piece;

typedef struct {
    int width; /* bytes of a fixed value; minus the bytes of a length in front of it. Of no use in a result set. */
    int code, quoting, nullable;
    int first, second;
    PyObject *extra;     /* borrowed from the program */
    Piece *pieces;       /* ENUM, SET */
    size_t pieces_size;
    CharacterSet *set;   /* single-byte character sets */
} Column;

typedef struct {
    int operator;
    int image, column, escaped; /* VALUE, TEXT */
    int variable;
    Piece literal;
} Operation;

typedef struct {
    Operation *operations;
    size_t size;
    int key_image;
} Message;

typedef struct {
    size_t *columns;
    size_t size;
} Ordinals;

typedef struct {
    PyObject *source; /* the tuple whose bytes and functions are pointed at */
    int result_set;   /* rows of the text protocol, else of a binlog */
    size_t trailer;   /* bytes behind the last image of a body */
    int images, first_image;
    int emits, numbered;
    Column *columns;
    size_t width;
    size_t calls; /* columns whose text a Python function makes */
    Message messages[3]; /* for an UPDATE: UPDATE, DELETE, INSERT */
    size_t messages_size;
    Ordinals key, hashed, split;
    int key_form, hash, hash_is_key;
    size_t partitions, fixed;
} Program;

/* Fills an empty program from the tuple; every ordinal in it is checked. */
int program_read(Program *program, PyObject *source);
void program_free(Program *program);

#endif
