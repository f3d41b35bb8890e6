/*
 * bramble/error.h: how every function of the library reports failure.
 *
 * Functions return a bramble_status. On anything but BRAMBLE_OK the outputs are untouched and, when the
 * caller passed a bramble_error, it holds one line that says what is wrong and what to do about it.
 * The library never prints, never exits and keeps no "last error".
 */
#ifndef BRAMBLE_ERROR_H
#define BRAMBLE_ERROR_H

#ifdef __cplusplus
extern "C" {
#endif

#if defined(__GNUC__)
#define BRAMBLE_API __attribute__((visibility("default")))
#else
#define BRAMBLE_API
#endif

typedef enum bramble_status {
    BRAMBLE_OK = 0,
    BRAMBLE_ERR_USAGE,       /* an argument or option makes no sense */
    BRAMBLE_ERR_MEMORY,      /* an allocation failed */
    BRAMBLE_ERR_IO,          /* a file cannot be opened, read or written */
    BRAMBLE_ERR_DATA,        /* a file's contents are malformed, or do not fit the request */
    BRAMBLE_ERR_UNSUPPORTED, /* well formed, but not something this version does */
    BRAMBLE_ERR_CANCELLED,   /* a progress callback asked to stop */
} bramble_status;

/* Caller's storage; `bramble_error e = {0};` is a fine start, and NULL may be passed for "do not tell me". */
typedef struct bramble_error {
    bramble_status status;
    char message[496]; /* one line, UTF-8, no newline, always terminated */
} bramble_error;

/* The status as a word ("ok", "usage", "memory", ...); never NULL, static storage. */
BRAMBLE_API const char *bramble_status_name(bramble_status status);

#ifdef __cplusplus
}
#endif
#endif
