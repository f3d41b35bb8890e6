/* bind() for an MPI job's processes (confine.h): to listen everywhere becomes to listen on the job's network.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <ifaddrs.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "cluster/confine.h"

struct range {
    uint32_t first, mask; /* as on the wire */
};

static bool read_network(const char *text, struct range *network)
{
    char base[INET_ADDRSTRLEN];
    unsigned bits;
    struct in_addr first;
    if (!text || sscanf(text, "%15[0-9.]/%2u", base, &bits) != 2 || bits < 1 || bits > 32) return false;
    if (inet_pton(AF_INET, base, &first) != 1) return false;
    *network = (struct range){.first = first.s_addr, .mask = htonl(UINT32_MAX << (32 - bits))};
    return true;
}

/* This machine's address in a network. False when it has none there, or several: others may be told of any.
 */
static bool own_address(const struct range *network, struct in_addr *own)
{
    struct ifaddrs *list;
    if (getifaddrs(&list) != 0) return false;
    bool found = false, several = false;
    for (struct ifaddrs *at = list; at; at = at->ifa_next) {
        if (!at->ifa_addr || at->ifa_addr->sa_family != AF_INET) continue;
        struct in_addr address = ((struct sockaddr_in *)at->ifa_addr)->sin_addr;
        if ((address.s_addr ^ network->first) & network->mask) continue;
        several |= found && address.s_addr != own->s_addr;
        found = true;
        *own = address;
    }
    freeifaddrs(list);
    return found && !several;
}

static bool is_stream(int fd)
{
    int type = 0;
    socklen_t length = sizeof type;
    return getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &length) == 0 && type == SOCK_STREAM;
}

/* IPv6 is not used by the job, but listened on; loopback is there, as IPv4's, on machines without IPv6 too.
 */
static bool narrow_6(int fd, struct sockaddr_in6 *address)
{
    static const uint8_t loopback[16] = {[10] = 0xff, [11] = 0xff, [12] = 127, [15] = 1};
    int no = 0;
    if (memcmp(&address->sin6_addr, &in6addr_any, sizeof in6addr_any) != 0) return false;
    if (setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &no, sizeof no) != 0) return false;
    memcpy(&address->sin6_addr, loopback, sizeof loopback);
    return true;
}

static bool narrow_4(struct sockaddr_in *address, const struct range *network)
{
    struct in_addr own = {0};
    if (address->sin_addr.s_addr != INADDR_ANY || !own_address(network, &own)) return false;
    address->sin_addr = own;
    return true;
}

union address {
    struct sockaddr any;
    struct sockaddr_in v4;
    struct sockaddr_in6 v6;
};

/* Whether there is a narrower address than the one asked for, which it then is. */
static bool narrow(int fd, union address *address, socklen_t length)
{
    struct range network;
    if (!is_stream(fd) || !read_network(getenv(CONFINE_NETWORK), &network)) return false;
    if (address->any.sa_family == AF_INET) return narrow_4(&address->v4, &network);
    return address->any.sa_family == AF_INET6 && length == sizeof address->v6 && narrow_6(fd, &address->v6);
}

__attribute__((visibility("default"))) int bind(int fd, __CONST_SOCKADDR_ARG asked, socklen_t length)
{
    union address address;
    if (asked.__sockaddr__ && length >= sizeof address.v4 && length <= sizeof address) {
        memcpy(&address, asked.__sockaddr__, length);
        if (narrow(fd, &address, length)) {
            int status = (int)syscall(SYS_bind, fd, &address, length);
            if (status == 0 || errno != EADDRNOTAVAIL) return status;
        }
    }
    return (int)syscall(SYS_bind, fd, asked.__sockaddr__, length);
}
