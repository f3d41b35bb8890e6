/* Binds TCP sockets to all networks, IPv4's and IPv6's, and to one address, a UDP socket too, and prints
 * where they are; then what its children would know of LD_PRELOAD and of what was loaded. */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>

#include "cluster/confine.h"

static void print_4(int type, const char *text)
{
    struct sockaddr_in address = {.sin_family = AF_INET};
    socklen_t length = sizeof address;
    char bound[INET6_ADDRSTRLEN] = "-";
    int fd = socket(AF_INET, type, 0);
    inet_pton(AF_INET, text, &address.sin_addr);
    if (!bind(fd, (struct sockaddr *)&address, length) &&
        !getsockname(fd, (struct sockaddr *)&address, &length))
        inet_ntop(AF_INET, &address.sin_addr, bound, sizeof bound);
    printf("%s ", bound);
}

static void print_6(int only_6)
{
    struct sockaddr_in6 address = {.sin6_family = AF_INET6};
    socklen_t length = sizeof address;
    char bound[INET6_ADDRSTRLEN] = "-";
    int fd = socket(AF_INET6, SOCK_STREAM, 0);
    if (fd < 0) return;
    setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &only_6, sizeof only_6);
    if (!bind(fd, (struct sockaddr *)&address, length) &&
        !getsockname(fd, (struct sockaddr *)&address, &length))
        inet_ntop(AF_INET6, &address.sin6_addr, bound, sizeof bound);
    printf("%s ", bound);
}

int main(void)
{
    print_4(SOCK_STREAM, "0.0.0.0");
    print_4(SOCK_STREAM, "127.0.0.2");
    print_4(SOCK_DGRAM, "0.0.0.0");
    const char *preload = getenv("LD_PRELOAD");
    printf("%s %s ", preload ? preload : "none", getenv(CONFINE_LOADED) ? "loaded" : "bare");
    print_6(0);
    print_6(1);
    return 0;
}
