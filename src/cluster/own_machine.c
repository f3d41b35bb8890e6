/* Which names and addresses are this machine's own; without asking a name server. */
#include <arpa/inet.h>
#include <ifaddrs.h>
#include <net/if.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "cluster/node_words.h"

/* The number behind an address of either kind; its length in bytes, 0 for other kinds. */
static size_t address_bytes(const struct sockaddr *address, const void **bytes)
{
    if (!address) return 0;
    if (address->sa_family == AF_INET) {
        *bytes = &((const struct sockaddr_in *)(const void *)address)->sin_addr;
        return sizeof(struct in_addr);
    }
    if (address->sa_family == AF_INET6) {
        *bytes = &((const struct sockaddr_in6 *)(const void *)address)->sin6_addr;
        return sizeof(struct in6_addr);
    }
    return 0;
}

static bool address_is_own(const unsigned char *wanted, size_t length)
{
    static const unsigned char loopback = 127;
    if (length == sizeof(struct in_addr) && wanted[0] == loopback) return true;
    struct ifaddrs *list;
    if (getifaddrs(&list) != 0) return false;
    bool own = false;
    for (struct ifaddrs *entry = list; entry && !own; entry = entry->ifa_next) {
        const void *bytes;
        own = address_bytes(entry->ifa_addr, &bytes) == length && memcmp(bytes, wanted, length) == 0;
    }
    freeifaddrs(list);
    return own;
}

static bool name_is_own(const char *host)
{
    char name[256] = "";
    if (gethostname(name, sizeof name - 1) != 0 || !name[0]) return false;
    if (strcasecmp(host, name) == 0) return true;
    size_t length = strcspn(name, ".");
    return strncasecmp(host, name, length) == 0 &&
           (!host[length] || strcasecmp(host + length, ".local") == 0);
}

bool host_is_own(const char *host)
{
    unsigned char bytes[sizeof(struct in6_addr)];
    if (inet_pton(AF_INET, host, bytes) == 1) return address_is_own(bytes, sizeof(struct in_addr));
    if (inet_pton(AF_INET6, host, bytes) == 1) return address_is_own(bytes, sizeof(struct in6_addr));
    return strcasecmp(host, "localhost") == 0 || name_is_own(host);
}

void own_name(char *buffer, size_t size)
{
    char name[256] = "";
    if (gethostname(name, sizeof name - 1) != 0) name[0] = 0;
    name[strcspn(name, ".")] = 0;
    snprintf(buffer, size, "%s", node_name_valid(name) ? name : "this-machine");
}
