#include "cluster/confine.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/error.h"

/* confine_bind.c and confine_leave.c as a shared object. */
static const uint8_t module[] = {
#include "cluster/confine_module.h"
};

void confine_open(int *fd, struct str *preload)
{
    const char *others = getenv("LD_PRELOAD");
    *fd = memfd_create("bramble", MFD_CLOEXEC);
    str_printf(preload, CONFINE_PRELOAD "%d%s%s", *fd, others && *others ? ":" : "", others ? others : "");
    if (*fd < 0 || (write(*fd, module, sizeof module) == (ssize_t)sizeof module && !preload->failed)) return;
    close(*fd);
    *fd = -1;
}

bramble_status confine_exec(const char *network, const char *const *words, bramble_error *error)
{
    int fd;
    struct str preload = {0};
    confine_open(&fd, &preload);
    setenv(CONFINE_NETWORK, network, 1);
    if (fd >= 0 && fcntl(fd, F_SETFD, 0) == 0) setenv("LD_PRELOAD", preload.data, 1);
    execvp(words[0], (char *const *)words);
    int why = errno;
    str_fini(&preload);
    if (fd >= 0) close(fd);
    return error_set(error, BRAMBLE_ERR_IO, "%s: cannot be started: %s", words[0], strerror(why));
}

static bool listens_everywhere(int fd)
{
    static const struct in6_addr every = IN6ADDR_ANY_INIT;
    int listens = 0;
    socklen_t length = sizeof listens;
    if (getsockopt(fd, SOL_SOCKET, SO_ACCEPTCONN, &listens, &length) != 0 || !listens) return false;
    union {
        struct sockaddr any;
        struct sockaddr_in v4;
        struct sockaddr_in6 v6;
        struct sockaddr_storage room;
    } at;
    length = sizeof at;
    if (getsockname(fd, &at.any, &length) != 0) return true;
    if (at.any.sa_family == AF_INET6) return memcmp(&at.v6.sin6_addr, &every, sizeof every) == 0;
    return at.any.sa_family == AF_INET && at.v4.sin_addr.s_addr == INADDR_ANY;
}

bool confine_holds(void)
{
    DIR *files = opendir("/proc/self/fd");
    bool holds = files && getenv(CONFINE_LOADED);
    for (const struct dirent *entry; holds && (entry = readdir(files));)
        if (*entry->d_name != '.') holds = !listens_everywhere((int)strtol(entry->d_name, NULL, 10));
    if (files) closedir(files);
    return holds;
}
