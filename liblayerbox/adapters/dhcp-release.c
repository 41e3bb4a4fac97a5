/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "dnsmasq.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <net/if_arp.h>
#include <netinet/in.h>
#include <stdio.h>
#include <sys/random.h>
#include <sys/socket.h>

enum { DHCP_SERVER_PORT = 67, BOOTREQUEST = 1, DHCPRELEASE = 7, MAC_LENGTH = 6 };

enum { OPTION_MESSAGE_TYPE = 53, OPTION_SERVER_ID = 54, OPTION_CLIENT_ID = 61, OPTION_END = 255 };

enum { CLIENT_ID_MAX = 255 };

/* RFC 2131, section 2, with as many options as a release has. */
struct packet {
	uint8_t op, htype, hlen, hops;
	uint32_t xid;
	uint16_t secs, flags;
	struct in_addr ciaddr, yiaddr, siaddr, giaddr;
	uint8_t chaddr[16];
	uint8_t sname[64], file[128];
	uint8_t cookie[4];
	uint8_t options[312];         /* which every DHCP server must take */
};

_Static_assert(sizeof(struct packet) == 552, "the fields lie as in RFC 2131");

static bool parse_mac(const char *text, uint8_t *ret_bytes)
{
	unsigned b[MAC_LENGTH];

	if (sscanf(text, "%2x:%2x:%2x:%2x:%2x:%2x", b, b + 1, b + 2, b + 3, b + 4, b + 5) != MAC_LENGTH)
		return false;
	for (int i = 0; i < MAC_LENGTH; i++)
		ret_bytes[i] = (uint8_t)b[i];
	return true;
}

/* Reads "01:52:54:00:0a:0b:0c"; returns how many bytes it has, 0 where it is no client id. */
static uint8_t parse_client_id(const char *text, uint8_t ret_bytes[CLIENT_ID_MAX])
{
	uint8_t length = 0;

	while (isxdigit((unsigned char)text[0]) && isxdigit((unsigned char)text[1]) && length < CLIENT_ID_MAX) {
		const char pair[] = { text[0], text[1], '\0' };

		ret_bytes[length++] = (uint8_t)strtoul(pair, NULL, 16);
		if (text[2] == '\0')
			return length;
		if (text[2] != ':')
			return 0;
		text += 3;
	}
	return 0;
}

/* Client identifier, RFC 2132, section 9.14: what the client said it was, if it did. */
static uint8_t *add_client_id(uint8_t *option, const char *client_id)
{
	uint8_t bytes[CLIENT_ID_MAX];
	uint8_t length = parse_client_id(client_id, bytes);

	if (!length)
		return option;
	*option++ = OPTION_CLIENT_ID;
	*option++ = length;
	memcpy(option, bytes, length);
	return option + length;
}

static bool make_packet(struct packet *packet, struct in_addr server, const char *mac, const char *address,
			const char *client_id)
{
	uint8_t *option = packet->options;

	*packet = (struct packet){
		.op = BOOTREQUEST,
		.htype = ARPHRD_ETHER,
		.hlen = MAC_LENGTH,
		.cookie = { 0x63, 0x82, 0x53, 0x63 },
	};
	if (inet_pton(AF_INET, address, &packet->ciaddr) != 1 || !parse_mac(mac, packet->chaddr))
		return false;
	if (getrandom(&packet->xid, sizeof packet->xid, 0) < 0)
		return false;
	*option++ = OPTION_MESSAGE_TYPE;
	*option++ = 1;
	*option++ = DHCPRELEASE;
	*option++ = OPTION_SERVER_ID;
	*option++ = sizeof server.s_addr;
	memcpy(option, &server.s_addr, sizeof server.s_addr);
	option = add_client_id(option + sizeof server.s_addr, client_id);
	*option = OPTION_END;
	return true;
}

void dnsmasq_release(const char *bridge, const char *server, const char *mac, const char *address,
		     const char *client_id)
{
	CLEANUP_FD int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	struct sockaddr_in to = { .sin_family = AF_INET, .sin_port = htons(DHCP_SERVER_PORT) };
	struct packet packet;

	if (fd < 0 || inet_pton(AF_INET, server, &to.sin_addr) != 1)
		return;
	if (!make_packet(&packet, to.sin_addr, mac, address, client_id))
		return;
	/* dnsmasq asks by which interface a request came in. */
	if (setsockopt(fd, SOL_SOCKET, SO_BINDTODEVICE, bridge, (socklen_t)strlen(bridge) + 1) < 0)
		return;
	(void)!sendto(fd, &packet, sizeof packet, MSG_DONTWAIT, (struct sockaddr *)&to, sizeof to);
}
