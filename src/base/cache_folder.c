#include "base/cache_folder.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/mem.h"
#include "base/paths.h"
#include "base/str.h"

char *cache_folder_name(void)
{
    const char *own = getenv("BRAMBLE_CACHE"), *cache = getenv("XDG_CACHE_HOME"), *home = getenv("HOME");
    if (own && *own) return mem_strdup(own);
    struct str path = {0};
    if (cache && *cache)
        str_printf(&path, "%s/bramble", cache);
    else
        str_printf(&path, "%s/.cache/bramble", home ? home : "");
    return str_take(&path);
}

bramble_status cache_folder_make(char **path, bramble_error *error)
{
    char *folder = cache_folder_name();
    if (!folder) return error_memory(error, "the cache folder's name");
    if (folder[0] != '/' || !folders_make(folder)) {
        bramble_status status = error_set(
            error, BRAMBLE_ERR_IO, "cache folder %s cannot be made (%s); set BRAMBLE_CACHE to one that can",
            folder, folder[0] == '/' ? strerror(errno) : "not a full path");
        mem_free(folder);
        return status;
    }
    *path = folder;
    return BRAMBLE_OK;
}
