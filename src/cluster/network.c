#include "cluster/network.h"

#include <arpa/inet.h>
#include <ifaddrs.h>
#include <netdb.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/error.h"

/* Our own address towards another: what the kernel would put on a packet. */
static bool own_address(const struct addrinfo *to, struct in_addr *own)
{
    struct sockaddr_in local;
    socklen_t length = sizeof local;
    int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (fd < 0) return false;
    bool good = connect(fd, to->ai_addr, to->ai_addrlen) == 0 &&
                getsockname(fd, (struct sockaddr *)&local, &length) == 0;
    close(fd);
    if (good) *own = local.sin_addr;
    return good;
}

static bool network_of(struct in_addr own, char cidr[NETWORK_TEXT])
{
    struct ifaddrs *list, *at;
    if (getifaddrs(&list) != 0) return false;
    for (at = list; at; at = at->ifa_next) {
        if (!at->ifa_addr || at->ifa_addr->sa_family != AF_INET || !at->ifa_netmask) continue;
        if (((struct sockaddr_in *)at->ifa_addr)->sin_addr.s_addr != own.s_addr) continue;
        uint32_t mask = ((struct sockaddr_in *)at->ifa_netmask)->sin_addr.s_addr;
        struct in_addr network = {own.s_addr & mask};
        char text[INET_ADDRSTRLEN];
        inet_ntop(AF_INET, &network, text, sizeof text);
        snprintf(cidr, NETWORK_TEXT, "%s/%d", text, __builtin_popcount(mask));
        break;
    }
    freeifaddrs(list);
    return at;
}

bramble_status network_to(const char *host, char cidr[NETWORK_TEXT], bramble_error *error)
{
    struct addrinfo hints = {.ai_family = AF_INET, .ai_socktype = SOCK_DGRAM}, *found = NULL;
    struct in_addr own;
    int why = getaddrinfo(host, "9", &hints, &found);
    if (why)
        return error_set(error, BRAMBLE_ERR_IO,
                         "%s: its address cannot be found (%s); set network = in the cluster's file", host,
                         gai_strerror(why));
    bool good = own_address(found, &own) && network_of(own, cidr);
    freeaddrinfo(found);
    if (good) return BRAMBLE_OK;
    return error_set(error, BRAMBLE_ERR_IO,
                     "%s: no network of this machine reaches it; set network = in the cluster's file", host);
}
