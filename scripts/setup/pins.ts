/**
 * Every native binary that set-up downloads: name, version and SHA-256 of the wheel as PyPI serves it. The one place to
 * edit when TensorFlow is raised. The wheels are those of CPython 3.11, whatever Python runs here: only their C
 * libraries and headers are used.
 */
export const tensorflowVersion = '2.20.0';

/** A wheel of the Python package index. */
export interface Wheel {
  /** Distribution name, as pip takes it. */
  readonly name: string;
  readonly version: string;
  /** Platform tag as pip's `--platform` takes it. */
  readonly platform: string;
  /** Lower-case hexadecimal SHA-256 of the file. */
  readonly sha256: string;
  /** Size of the file in MB, for the progress line. */
  readonly megabytes: number;
}

/** TensorFlow for the CPU, by `process.platform`-`process.arch`. Only x64 Linux has a package name of its own for it. */
export const cpuWheels = {
  'linux-x64': {
    name: 'tensorflow-cpu',
    version: tensorflowVersion,
    platform: 'manylinux_2_17_x86_64',
    sha256: 'cf756bbe2d256e942ab5d0ad2c858fb40017581494febdb4387c149b1afde780',
    megabytes: 259,
  },
  'linux-arm64': {
    name: 'tensorflow',
    version: tensorflowVersion,
    platform: 'manylinux_2_17_aarch64',
    sha256: '3e9568c8efcb05c0266be223e3269c62ebf7ad3498f156438311735f6fa5ced5',
    megabytes: 260,
  },
  'darwin-arm64': {
    name: 'tensorflow',
    version: tensorflowVersion,
    platform: 'macosx_12_0_arm64',
    sha256: '5f964016c5035d09b85a246a6b739be89282a7839743f3ea63640224f0c63aee',
    megabytes: 201,
  },
} as const satisfies Record<string, Wheel>;

/**
 * TensorFlow for CUDA 12 GPUs and the libraries it finds beside it, by `process.platform`-`process.arch`: what its
 * `and-cuda` extra resolves to.
 */
export const gpuWheels = {
  'linux-x64': [
    {
      name: 'tensorflow',
      version: tensorflowVersion,
      platform: 'manylinux_2_17_x86_64',
      sha256: '481499fd0f824583de8945be61d5e827898cdaa4f5ea1bc2cc28ca2ccff8229e',
      megabytes: 621,
    },
    {
      name: 'nvidia-cublas-cu12',
      version: '12.9.3.13',
      platform: 'manylinux_2_27_x86_64',
      sha256: 'd7d51055f161b317c7105ddaae90e71eda059026074ffef93cf7cde2886bfe72',
      megabytes: 581,
    },
    {
      name: 'nvidia-cuda-cupti-cu12',
      version: '12.8.90',
      platform: 'manylinux_2_17_x86_64',
      sha256: 'ea0cb07ebda26bb9b29ba82cda34849e73c166c18162d3913575b0c9db9a6182',
      megabytes: 10,
    },
    {
      name: 'nvidia-cuda-nvcc-cu12',
      version: '12.9.86',
      platform: 'manylinux_2_12_x86_64',
      sha256: '5d6a0d32fdc7ea39917c20065614ae93add6f577d840233237ff08e9a38f58f0',
      megabytes: 40,
    },
    {
      name: 'nvidia-cuda-nvrtc-cu12',
      version: '12.9.86',
      platform: 'manylinux_2_12_x86_64',
      sha256: '210cf05005a447e29214e9ce50851e83fc5f4358df8b453155d5e1918094dcb4',
      megabytes: 89,
    },
    {
      name: 'nvidia-cuda-runtime-cu12',
      version: '12.9.79',
      platform: 'manylinux_2_17_x86_64',
      sha256: '25bba2dfb01d48a9b59ca474a1ac43c6ebf7011f1b0b8cc44f54eb6ac48a96c3',
      megabytes: 3,
    },
    {
      name: 'nvidia-cudnn-cu12',
      version: '9.28.0.42',
      platform: 'manylinux_2_27_x86_64',
      sha256: '9ff58b7f36dacd0a93e89f8f2957b52466889217963701daa15e577317cfa375',
      megabytes: 716,
    },
    {
      name: 'nvidia-cufft-cu12',
      version: '11.4.1.4',
      platform: 'manylinux_2_17_x86_64',
      sha256: 'c67884f2a7d276b4b80eb56a79322a95df592ae5e765cf1243693365ccab4e28',
      megabytes: 200,
    },
    {
      name: 'nvidia-curand-cu12',
      version: '10.3.10.19',
      platform: 'manylinux_2_27_x86_64',
      sha256: '49b274db4780d421bd2ccd362e1415c13887c53c214f0d4b761752b8f9f6aa1e',
      megabytes: 68,
    },
    {
      name: 'nvidia-cusolver-cu12',
      version: '11.7.5.82',
      platform: 'manylinux_2_27_x86_64',
      sha256: '15da72d1340d29b5b3cf3fd100e3cd53421dde36002eda6ed93811af63c40d88',
      megabytes: 338,
    },
    {
      name: 'nvidia-cusparse-cu12',
      version: '12.5.10.65',
      platform: 'manylinux_2_17_x86_64',
      sha256: '73060ce019ac064a057267c585bf1fd5a353734151f87472ff02b2c5c9984e78',
      megabytes: 366,
    },
    {
      name: 'nvidia-nccl-cu12',
      version: '2.32.3',
      platform: 'manylinux_2_27_x86_64',
      sha256: 'bb94b2348e4861d5e8aa00b36c3d12d9bdf9c6369b82cbb723de0b582280a21c',
      megabytes: 351,
    },
    {
      name: 'nvidia-nvjitlink-cu12',
      version: '12.9.86',
      platform: 'manylinux_2_12_x86_64',
      sha256: 'e3f1171dbdc83c5932a45f0f4c99180a70de9bd2718c1ab77d14104f6d7147f9',
      megabytes: 39,
    },
  ],
} as const satisfies Record<string, readonly Wheel[]>;
