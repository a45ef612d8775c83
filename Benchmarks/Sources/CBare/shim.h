#include <sodium.h>
#include <string.h>

/* The same primitives as one KF1 seal, in C with nothing around them: HKDF-SHA-512 to 88 bytes
   (2 HMACs for extract and first block, 1 for the second), one AEAD, one SHA-512 of the blob. */
static inline void bare_hkdf(unsigned char okm[128], const unsigned char key[32],
                             const unsigned char salt[32], const unsigned char *info, size_t n) {
  unsigned char prk[64], counter;
  crypto_auth_hmacsha512_state s;
  crypto_auth_hmacsha512_init(&s, salt, 32);
  crypto_auth_hmacsha512_update(&s, key, 32);
  crypto_auth_hmacsha512_final(&s, prk);
  counter = 1;
  crypto_auth_hmacsha512_init(&s, prk, 64);
  crypto_auth_hmacsha512_update(&s, info, n);
  crypto_auth_hmacsha512_update(&s, &counter, 1);
  crypto_auth_hmacsha512_final(&s, okm);
  counter = 2;
  crypto_auth_hmacsha512_init(&s, prk, 64);
  crypto_auth_hmacsha512_update(&s, okm, 64);
  crypto_auth_hmacsha512_update(&s, info, n);
  crypto_auth_hmacsha512_update(&s, &counter, 1);
  crypto_auth_hmacsha512_final(&s, okm + 64);
}

static inline void bare_seal(unsigned char *blob, const unsigned char *padded, size_t n,
                             const unsigned char key[32], const unsigned char *info, size_t ni,
                             const unsigned char *aad, size_t na, unsigned char hash[64]) {
  unsigned char okm[128];
  randombytes_buf(blob + 20, 32);
  bare_hkdf(okm, key, blob + 20, info, ni);
  memcpy(blob + 52, okm, 32);
  crypto_aead_xchacha20poly1305_ietf_encrypt(blob + 84, NULL, padded, n, aad, na, NULL, okm + 64,
                                             okm + 32);
  crypto_hash_sha512(hash, blob, 84 + n + 16);
}

static inline int bare_open(unsigned char *plain, const unsigned char *blob, size_t n,
                            const unsigned char key[32], const unsigned char *info, size_t ni,
                            const unsigned char *aad, size_t na, unsigned char hash[64]) {
  unsigned char okm[128];
  crypto_hash_sha512(hash, blob, n);
  bare_hkdf(okm, key, blob + 20, info, ni);
  return crypto_aead_xchacha20poly1305_ietf_decrypt(plain, NULL, NULL, blob + 84, n - 84, aad, na,
                                                    okm + 64, okm + 32);
}
