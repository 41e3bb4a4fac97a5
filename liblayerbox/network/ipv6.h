/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The arithmetic of a network's IPv6 prefix, always a /64. A container's address is not stored: it is the prefix
 * and, as the last bits, what its IPv4 address has within its subnet: 10.0.3.20 of 10.0.3.0/24 is PREFIX::14.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

enum { IPV6_TEXT_SIZE = 46, IPV6_BYTES = 16, IPV6_PREFIX_LENGTH = 64, IPV6_PREFIX_TEXT_SIZE = IPV6_TEXT_SIZE + 3 };

struct ipv6_prefix {
	uint8_t bytes[8];
};

/* Reads "fd42:1:2:3::/64", in any spelling; NULL, or what it must be: "must be ...". */
const char *ipv6_prefix_parse(const char *text, struct ipv6_prefix *ret_prefix);

/* The one spelling that inet_ntop(3) has for it: with /64 behind it, and without. */
void ipv6_prefix_format(const struct ipv6_prefix *prefix, char ret_text[IPV6_PREFIX_TEXT_SIZE]);
void ipv6_prefix_network(const struct ipv6_prefix *prefix, char ret_text[IPV6_TEXT_SIZE]);

/* A random unique local one, RFC 4193, for `auto`: fdXX:XXXX:XXXX:XXXX::/64. 0 or a negative errno. */
int ipv6_prefix_random(struct ipv6_prefix *ret_prefix);

/* Is it unique local (fc00::/7)? Then the internet does not route it, and it needs NAT to get there. */
bool ipv6_prefix_is_local(const struct ipv6_prefix *prefix);

/* The bridge's own address, PREFIX::1: gateway and, by layerbox's own subnets, the same number as in IPv4. */
void ipv6_gateway(const struct ipv6_prefix *prefix, char ret_text[IPV6_TEXT_SIZE]);

/* @host_number: the container's IPv4 address less that of its subnet. */
void ipv6_of_guest(const struct ipv6_prefix *prefix, uint32_t host_number, char ret_text[IPV6_TEXT_SIZE]);

/* The link-local address that the kernel makes of a MAC (EUI-64): 00:16:3e:01:02:03 is fe80::216:3eff:fe01:203. */
void ipv6_link_local(const char *mac, char ret_text[IPV6_TEXT_SIZE]);

/* The bytes of an address; false where it is none. */
bool ipv6_parse(const char *text, uint8_t ret_bytes[IPV6_BYTES]);

/* Brings any spelling of an address to inet_ntop(3)'s, so that two can be compared as text; false where it is none. */
bool ipv6_normalise(const char *text, char ret_text[IPV6_TEXT_SIZE]);
