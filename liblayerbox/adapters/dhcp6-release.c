/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "dhcp6-release.h"

#include <arpa/inet.h>
#include <net/if.h>
#include <poll.h>
#include <sys/random.h>
#include <sys/socket.h>

enum { DHCP6_SERVER_PORT = 547, ANSWER_PATIENCE_MS = 100 };

enum { MESSAGE_RELEASE = 8, MESSAGE_RELAY_FORWARD = 12 };

enum {
	OPTION_CLIENT_ID = 1,
	OPTION_SERVER_ID = 2,
	OPTION_IA_NA = 3,
	OPTION_IA_TA = 4,
	OPTION_IA_ADDRESS = 5,
	OPTION_ELAPSED_TIME = 8,
	OPTION_RELAY_MESSAGE = 9,
};

static void add_number(struct buffer *buffer, uint32_t value, size_t bytes)
{
	uint32_t network = htonl(value);

	buffer_add(buffer, (const char *)&network + sizeof network - bytes, bytes);
}

static void add_option(struct buffer *buffer, unsigned code, const void *data, size_t length)
{
	add_number(buffer, code, 2);
	add_number(buffer, (uint32_t)length, 2);
	buffer_add(buffer, data, length);
}

/* The identity association with its one address, RFC 8415, sections 21.4 to 21.6; lifetimes mean nothing here. */
static void add_association(struct buffer *message, const struct dhcp6_binding *binding)
{
	CLEANUP_BUFFER struct buffer address = { 0 };
	CLEANUP_BUFFER struct buffer association = { 0 };

	buffer_add(&address, &binding->address, sizeof binding->address);
	add_number(&address, 0, 4);
	add_number(&address, 0, 4);
	add_number(&association, binding->iaid, 4);
	if (!binding->is_temporary) {
		add_number(&association, 0, 4);
		add_number(&association, 0, 4);
	}
	add_option(&association, OPTION_IA_ADDRESS, address.data, address.length);
	add_option(message, binding->is_temporary ? OPTION_IA_TA : OPTION_IA_NA, association.data, association.length);
	message->failed |= address.failed || association.failed;
}

static void make_release(struct buffer *message, const struct dhcp6_binding *binding)
{
	uint32_t transaction = 0;

	(void)!getrandom(&transaction, sizeof transaction, 0);
	add_number(message, MESSAGE_RELEASE, 1);
	add_number(message, transaction, 3);
	add_option(message, OPTION_CLIENT_ID, binding->client.bytes, binding->client.length);
	add_option(message, OPTION_SERVER_ID, binding->server.bytes, binding->server.length);
	add_option(message, OPTION_ELAPSED_TIME, "\0\0", 2);
	add_association(message, binding);
}

/*
 * As a relay would pass it on, section 19.1: of one who sends it directly dnsmasq looks for the MAC address, and
 * sleeps half a second, serving nobody, since the bridge's own is in no neighbour table.
 */
static void make_relayed(struct buffer *message, const struct in6_addr *server, const struct dhcp6_binding *binding)
{
	CLEANUP_BUFFER struct buffer release = { 0 };

	make_release(&release, binding);
	add_number(message, MESSAGE_RELAY_FORWARD, 1);
	add_number(message, 0, 1);
	buffer_add(message, server, sizeof *server);
	buffer_add(message, &binding->address, sizeof binding->address);
	add_option(message, OPTION_RELAY_MESSAGE, release.data, release.length);
	message->failed |= release.failed;
}

/* Bound to the port of a relay, which is the server's: the answer would go to dnsmasq itself otherwise. */
static int open_socket(const char *bridge, const struct in6_addr *server)
{
	CLEANUP_FD int fd = socket(AF_INET6, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	const struct sockaddr_in6 from = {
		.sin6_family = AF_INET6,
		.sin6_port = htons(DHCP6_SERVER_PORT),
		.sin6_addr = *server,
	};
	int yes = 1;

	if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_BINDTODEVICE, bridge, (socklen_t)strlen(bridge) + 1) < 0)
		return -1;
	if (setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes) < 0 ||
	    setsockopt(fd, SOL_SOCKET, SO_REUSEPORT, &yes, sizeof yes) < 0)
		return -1;
	return bind(fd, (const struct sockaddr *)&from, sizeof from) < 0 ? -1 : take_fd(&fd);
}

void dhcp6_release(const char *bridge, const struct in6_addr *server, const struct dhcp6_binding *binding)
{
	CLEANUP_BUFFER struct buffer message = { 0 };
	CLEANUP_FD int fd = open_socket(bridge, server);
	struct sockaddr_in6 to = {
		.sin6_family = AF_INET6,
		.sin6_port = htons(DHCP6_SERVER_PORT),
		.sin6_scope_id = if_nametoindex(bridge),
	};
	struct pollfd answer = { .fd = fd, .events = POLLIN };

	make_relayed(&message, server, binding);
	if (fd < 0 || message.failed || inet_pton(AF_INET6, "ff02::1:2", &to.sin6_addr) != 1)
		return;
	/* To the group that all servers are in: what is sent to the bridge's own address would come to this socket. */
	if (sendto(fd, message.data, message.length, 0, (struct sockaddr *)&to, sizeof to) >= 0)
		(void)poll(&answer, 1, ANSWER_PATIENCE_MS);
}
