"""The authors' settings of each model, as their papers and code have them; `relatives_defaults` has more of them."""

TRAINING = {  # of the authors of pix2pix, CycleGAN and BicycleGAN
    "image_size": 256,
    "load_scale": 286 / 256,
    "preprocess": "resize_and_crop",
    "flip": True,
    "direction": "a_to_b",
    "learning_rate": 2e-4,
    "beta_1": 0.5,
    "beta_2": 0.999,
    "epochs": 200,
    "steps": None,
    "schedule": "linear",
    "decay_fraction": 0.5,  # 100 + 100 epochs
    "decay_every": 50,
    "decay_factor": 0.1,
}
DISCRIMINATOR = {
    "discriminator_type": "patch",
    "discriminator_filters": 64,
    "discriminator_layers": 3,  # 70 px
    "discriminator_scales": 1,
    "init_type": "normal",
    "init_gain": 0.02,
    "lambda_gradient_penalty": 10.0,
}
UNET = {"base_filters": 64, "num_downs": None, "upsampling": "transposed", "norm": "batch", "dropout": True}
RGB = {"input_channels": 3, "target_channels": 3}
AUTHORS = {
    "pix2pix": TRAINING
    | DISCRIMINATOR
    | UNET
    | RGB
    | {
        "batch_size": 1,
        "generator_type": "unet",
        "inference_mode": "train",  # dropout and the image's own statistics stay on in translation
        "discriminator_norm": "batch",
        "gan_mode": "vanilla",
        "conditional": True,
        "lambda_gan": 1.0,
        "lambda_l1": 100.0,
    },
    "cyclegan": TRAINING
    | DISCRIMINATOR
    | RGB
    | {
        "batch_size": 1,
        "generator_type": "resnet",
        "num_blocks": 9,
        "base_filters": 64,
        "upsampling": "transposed",
        "norm": "instance",
        "dropout": False,
        "discriminator_norm": "instance",
        "gan_mode": "lsgan",
        "lambda_cycle_a": 10.0,
        "lambda_cycle_b": 10.0,
        "lambda_identity": 0.5,
        "pool_size": 50,
    },
    "bicyclegan": TRAINING
    | RGB
    | {
        "batch_size": 2,
        "latent_dim": 8,
        "objective": "bicyclegan",
        "num_downs": None,
        "base_filters": 64,
        "upsampling": "transposed",
        "init_gain": 0.02,
        "dropout": True,  # every one of their scripts passes it
        "encoder_type": "resnet",
        "encoder_filters": 64,
        "discriminator_filters": 64,
        "discriminator_layers": 3,
        "discriminator_scales": 2,
        "conditional": False,
        "shared_discriminator": False,
        "gan_mode": "lsgan",
        "lambda_gan_encoded": 1.0,
        "lambda_gan_random": 1.0,
        "lambda_l1": 10.0,
        "lambda_latent": 0.5,
        "lambda_kl": 0.01,
    },
    "colorization": TRAINING
    | DISCRIMINATOR
    | UNET
    | {
        "input_channels": 1,
        "target_channels": 3,
        "batch_size": 16,  # of the tutorial, as is the L1 loss alone at first, here off
        "pretrain_epochs": 0,
        "generator_type": "unet",
        "discriminator_norm": "batch",
        "gan_mode": "vanilla",
        "lambda_gan": 1.0,
        "lambda_l1": 100.0,
        "discriminator_learning_rate": None,  # one rate for both
    },
    "srgan": RGB  # Ledig et al. 2017, section 3.2
    | {
        "image_size": 96,
        "preprocess": "crop",
        "batch_size": 16,
        "epochs": 240,  # in the paper's proportions: 1,000,000 steps of SRResNet, 100,000 and 100,000 of SRGAN
        "pretrain_epochs": 200,
        "schedule": "step",
        "decay_every": 220,
        "decay_factor": 0.1,
        "learning_rate": 1e-4,
        "beta_1": 0.9,
        "beta_2": 0.999,
        "scale": 4,
        "num_blocks": 16,
        "base_filters": 64,
        "norm": "batch",
        "discriminator_filters": 64,
        "discriminator_head": "dense",
        "content": "vgg54",
        "lambda_gan": 1e-3,
    },
}
