/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "host-port.h"

#include <arpa/inet.h>
#include <netinet/in.h>

/* Of include/net/tcp_states.h; an unconnected UDP socket is "closed". */
enum { TCP_LISTEN_STATE = 0x0a, UDP_UNCONNECTED_STATE = 0x07 };

/* The four words of an IPv6 address; an IPv4 address is mapped into it, as the kernel does for tcp6 sockets. */
struct socket_name {
	struct in6_addr address;
	unsigned port, state;
};

static struct in6_addr map_ipv4(uint32_t address)
{
	return (struct in6_addr){ .s6_addr32 = { 0, 0, htonl(0xffff), address } };
}

/* A line of /proc/net/tcp and its kin: each word of an address is a number of the host's byte order. */
static bool parse_line(const char *line, struct socket_name *ret_name)
{
	struct in6_addr *address = &ret_name->address;
	uint32_t *word = address->s6_addr32;

	if (sscanf(line, "%*d: %8x%8x%8x%8x:%x %*x:%*x %x", word, word + 1, word + 2, word + 3, &ret_name->port,
		   &ret_name->state) == 6)
		return true;
	if (sscanf(line, "%*d: %8x:%x %*x:%*x %x", word, &ret_name->port, &ret_name->state) != 3)
		return false;
	*address = map_ipv4(*word);
	return true;
}

static bool is_any(const struct in6_addr *address)
{
	return IN6_IS_ADDR_UNSPECIFIED(address) ||
	       (IN6_IS_ADDR_V4MAPPED(address) && address->s6_addr32[3] == htonl(INADDR_ANY));
}

static bool is_loopback(const struct in6_addr *address)
{
	return IN6_IS_ADDR_LOOPBACK(address) ||
	       (IN6_IS_ADDR_V4MAPPED(address) && address->s6_addr[12] == IN_LOOPBACKNET);
}

static bool parse_listen(const char *listen, struct in6_addr *ret_address)
{
	struct in_addr ipv4;

	if (inet_pton(AF_INET, listen, &ipv4) != 1)
		return inet_pton(AF_INET6, listen, ret_address) == 1;
	*ret_address = map_ipv4(ipv4.s_addr);
	return true;
}

/* @wanted NULL: all but loopback. A socket that listens on :: takes IPv4, too, unless it was told otherwise. */
static bool takes(const struct in6_addr *address, const struct in6_addr *wanted)
{
	if (!wanted)
		return !is_loopback(address);
	if (is_any(address))
		return IN6_IS_ADDR_UNSPECIFIED(address) || IN6_IS_ADDR_V4MAPPED(wanted);
	return IN6_ARE_ADDR_EQUAL(address, wanted);
}

static char *describe(const struct socket_name *name)
{
	bool is_ipv4 = IN6_IS_ADDR_V4MAPPED(&name->address);
	char text[INET6_ADDRSTRLEN];

	inet_ntop(is_ipv4 ? AF_INET : AF_INET6, is_ipv4 ? &name->address.s6_addr32[3] : name->address.s6_addr32, text,
		  sizeof text);
	return text_format(is_ipv4 ? "%s:%u" : "[%s]:%u", text, name->port);
}

static int search(struct lb_context *ctx, const char *path, unsigned state, const struct in6_addr *wanted,
		  uint16_t port, char **ret_where)
{
	CLEANUP_FILE FILE *file = fopen(path, "re");
	CLEANUP_FREE char *line = NULL;
	struct socket_name name;
	size_t size = 0;

	if (!file) /* a kernel without IPv6 has no tcp6 */
		return errno == ENOENT ? 0 : fail_errno(ctx, errno, "cannot read %s", path);
	while (getline(&line, &size, file) >= 0) {
		if (!parse_line(line, &name) || name.port != port || name.state != state ||
		    !takes(&name.address, wanted))
			continue;
		*ret_where = describe(&name);
		return *ret_where ? 1 : fail_memory(ctx);
	}
	return 0;
}

int host_port_find(struct lb_context *ctx, bool udp, const char *listen, uint16_t port, char **ret_where)
{
	static const char *const files[2][2] = { { "/proc/net/tcp", "/proc/net/tcp6" },
						 { "/proc/net/udp", "/proc/net/udp6" } };
	unsigned state = udp ? UDP_UNCONNECTED_STATE : TCP_LISTEN_STATE;
	struct in6_addr wanted;
	int r = 0;

	if (*listen && !parse_listen(listen, &wanted))
		return fail(ctx, -LB_ERR_BAD_VALUE, "\"%s\" is not an address to listen on", listen);
	for (size_t i = 0; r == 0 && i < 2; i++)
		r = search(ctx, files[udp][i], state, *listen ? &wanted : NULL, port, ret_where);
	return r;
}
