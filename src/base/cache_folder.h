/* Where files are kept that can be made again. */
#ifndef BASE_CACHE_FOLDER_H
#define BASE_CACHE_FOLDER_H

#include <bramble/error.h>

/* $BRAMBLE_CACHE, else $XDG_CACHE_HOME/bramble, else ~/.cache/bramble; mem_free it; NULL: out of memory. */
char *cache_folder_name(void);

/* The same, made when missing, private; *path is the caller's to mem_free. */
bramble_status cache_folder_make(char **path, bramble_error *error);

#endif
